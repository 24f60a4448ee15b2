import { beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { compileJava, hasJava, runJava } from '../support/java.js'
import { startStackAgent } from '../support/stack-agent.js'
import { describeStack, pins, writeProgramsOf } from '../support/stacks.js'

const folder = temporaryFolder()

describeStack('java', () => {
  const test = it.skipIf(!hasJava)
  let path = ''

  beforeAll(() => {
    if (!hasJava) return
    const files = writeProgramsOf('java', folder)
    expect(files).toEqual(['TotpInterceptor.java', 'Main.java'])
    path = compileJava(folder, files, pins.java.packages[0] ?? '')
  }, 500_000)

  const unusual = ['--algorithm', 'SHA256', '--digits', '8', '--period', '60', '--header', 'X-Code']

  test.each([
    ['the usual profile', []],
    ['another profile', unusual],
  ])('reads the card and sends a message, with %s', async (_, options) => {
    const { origin, variables } = await startStackAgent('jsonrpc', ...options)
    expect(await runJava(path, ['Main', origin, 'ping'], variables)).toEqual(['TaskEvent'])
    const wrong = { ...variables, A2A_TOTP_SEED: 'A'.repeat(32) }
    await expect(runJava(path, ['Main', origin, 'ping'], wrong)).rejects.toThrow(
      'Client credentials are missing or invalid',
    )
  })

  test('sends nothing to another origin', async () => {
    const { origin, variables } = await startStackAgent('jsonrpc')
    const other = origin.replace('127.0.0.1', 'localhost')
    await expect(runJava(path, ['Main', other, 'ping'], variables)).rejects.toThrow('the credentials are for')
  })
})
