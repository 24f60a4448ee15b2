import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import goClient from '../../src/fragments/templates/client.go.text'
import { temporaryFolder } from '../support/folder.js'
import { buildGo, goEnvironment, isNewGo, runGo } from '../support/go.js'
import { listening } from '../support/listening.js'
import { startStackAgent } from '../support/stack-agent.js'
import { describeStack, pins, writeProgramsOf } from '../support/stacks.js'

const folder = temporaryFolder()

/** Runs a program of the page, with the variables that `config client` prints. */
async function call(
  program: string,
  variables: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<string[]> {
  const env = goEnvironment(folder, variables)
  const { stdout } = await promisify(execFile)(join(folder, 'bin', program), args, { env })
  return stdout.trimEnd().split('\n')
}

describeStack('a2a-go', () => {
  // Debian's Go is too old for a2a-go.
  const test = it.skipIf(!isNewGo)

  beforeAll(() => {
    if (!isNewGo) return
    expect(writeProgramsOf('a2a-go', folder)).toEqual(['main.go', 'grpc/main.go', 'interceptor/main.go'])
    mkdirSync(join(folder, 'a2atotp'))
    writeFileSync(join(folder, 'a2atotp/client.go'), goClient)
    expect(runGo(folder, ['-l', '.'], { tool: 'gofmt' })).toBe('')
    buildGo(folder, pins['a2a-go'].packages, ['.', './grpc', './interceptor'])
  }, 500_000)

  test.each(['jsonrpc', 'rest'])(
    'reads the card, streams and calls with proofs, over %s',
    async (binding) => {
      const options = ['--replay', 'once', '--signed', 'require', '--digits', '8', '--header', 'X-Code']
      const { origin, variables } = await startStackAgent(binding, ...options)
      const lines = await call('example', variables, origin, 'ping')
      expect(lines).toEqual(['alice said: ping', 'TASK_STATE_COMPLETED'])
    },
  )

  test('calls over grpc with PerRPCCredentials, and not where a proof is required', async () => {
    const { url, origin, variables } = await startStackAgent('grpc', '--signed', 'observe')
    const own = { ...variables, A2A_TOTP_URL: origin }
    expect(await call('grpc', own, url)).toEqual([expect.stringMatching(/task not found/i)])
    const [refused] = await call('grpc', { ...own, A2A_TOTP_SIGNED: 'require' }, url)
    expect(refused).toContain('only a code can be sent here')
    const [elsewhere] = await call('grpc', { ...own, A2A_TOTP_URL: 'http://127.0.0.2' }, url)
    expect(elsewhere).toContain('the credentials are for http://127.0.0.2:80')
  })

  test('calls with a CallInterceptor', async () => {
    const { url, variables } = await startStackAgent('jsonrpc', '--signed', 'observe')
    expect(await call('interceptor', variables, url)).toEqual([expect.stringMatching(/task not found/i)])
    const [refused] = await call('interceptor', { ...variables, A2A_TOTP_SIGNED: 'require' }, url)
    expect(refused).toContain('only a code can be sent here')
  })

  test('cannot read the card of the specification', async () => {
    const card = {
      name: 'a',
      description: 'a',
      version: '1',
      supportedInterfaces: [],
      capabilities: {},
      skills: [],
      defaultInputModes: [],
      defaultOutputModes: [],
      securityRequirements: [{ schemes: { bearer: { list: [] } } }],
    }
    await using server = await listening(
      createServer((_, response) => void response.end(JSON.stringify(card))),
    )
    const variables = { A2A_TOTP_TOKEN: 't', A2A_TOTP_SEED: 'A'.repeat(32) }
    const failed = call('example', variables, `http://127.0.0.1:${server.port}`, 'ping')
    await expect(failed).rejects.toThrow('card parsing failed')
  })
})
