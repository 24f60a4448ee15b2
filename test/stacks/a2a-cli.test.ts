import { execFile } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { runBinary } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { buildGo, isNewGo } from '../support/go.js'
import { startStackAgent } from '../support/stack-agent.js'
import { describeStack, pins, writeProgramsOf } from '../support/stacks.js'

const folder = temporaryFolder()
const ours = fileURLToPath(new URL('../../bin/a2a-totp.cjs', import.meta.url))
const path = `${folder}/bin:${process.env['PATH'] ?? ''}`

describeStack('a2a-cli', () => {
  // Debian's Go is too old for a2a-go.
  const test = it.skipIf(!isNewGo)

  beforeAll(() => {
    if (!isNewGo) return
    expect(writeProgramsOf('a2a-cli', folder)).toEqual(['call.sh'])
    writeFileSync(join(folder, 'none.go'), 'package example\n')
    buildGo(folder, pins['a2a-cli'].packages, ['github.com/a2aproject/a2a-go/v2/cmd/a2a'])
    symlinkSync(ours, join(folder, 'bin/a2a-totp'))
  }, 500_000)

  test.each(['jsonrpc', 'rest'])('sends a message and lists tasks, over %s', async (binding) => {
    const { origin, cwd } = await startStackAgent(binding, '--header', 'X-Code', '--signed', 'observe')
    const call = async (...args: string[]) =>
      runBinary(['exec', 'alice', '--', 'sh', join(folder, 'call.sh'), ...args], { cwd, env: { PATH: path } })
    expect(await call('send', origin, 'ping')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('alice said: ping') as string,
    })
    expect(await call('list', 'tasks', origin)).toMatchObject({ exitCode: 0 })
  })

  test('is refused where a proof is required', async () => {
    const { origin, variables } = await startStackAgent('jsonrpc', '--signed', 'require')
    const env = { PATH: path, HOME: folder, ...variables }
    const call = promisify(execFile)('sh', [join(folder, 'call.sh'), 'send', origin, 'ping'], { env })
    await expect(call).rejects.toThrow('401 Unauthorized')
  })
})
