import { describe, expect, it } from 'vitest'
import { makeStore, runCli } from '../support/cli.js'

const now = new Date('2026-03-01T12:00:00Z')

describe('verify', () => {
  it('takes a code as people write and paste it', async () => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--digits', '8'], { cwd, now })
    const code = (await runCli(['code', 'alice'], { cwd, now })).stdout.trim()
    const [head, tail] = [code.slice(0, 4), code.slice(4)]
    const forms = [
      `${head} ${tail}`,
      `${head}-${tail}`,
      ` ${head}\u00a0${tail} `,
      `${head}\u2011${tail}`,
      code.split(/(?=.)/).join(' '),
    ]
    for (const form of forms) {
      const valid = { exitCode: 0, stdout: 'valid (drift 0)\n', stderr: '' }
      expect(await runCli(['verify', form, 'alice'], { cwd, now }), form).toEqual(valid)
      expect(await runCli(['verify', '-', 'alice'], { cwd, now, stdin: `${form}\r\n` }), form).toEqual(valid)
    }
  })

  it('says of a code in two arguments that it has to be quoted', async () => {
    const cwd = await makeStore(['alice'])
    const split = await runCli(['verify', '942', '870'], { cwd })
    expect(split).toMatchObject({ exitCode: 2, stdout: '' })
    expect(split.stderr).toBe("error: quote a code with spaces: a2a-totp verify '942 870' (ERR_USAGE)\n")
    await runCli(['add-peer', '870'], { cwd })
    expect(await runCli(['verify', '942', '870'], { cwd })).toMatchObject({
      exitCode: 1,
      stdout: 'invalid\n',
    })
  })

  it.each([
    ['1234567', 'a code of alice has 6 digits; this has 7 digits\n'],
    ['1', 'a code of alice has 6 digits; this has 1 digit\n'],
    ['--', 'a code of alice has 6 digits; this has 0 digits\n'],
    ['１２３４５６', 'a code is made of the digits 0 to 9 alone, not of other letters or digits\n'],
    ['12345a', 'a code is made of the digits 0 to 9 alone, not of other letters or digits\n'],
    ['12.3456', 'a code is made of the digits 0 to 9 alone, not of other letters or digits\n'],
  ])('calls %s invalid, and says what is wrong with it', async (form, remark) => {
    const cwd = await makeStore(['alice'])
    const args = form === '--' ? ['verify', '-', 'alice'] : ['verify', form, 'alice']
    const run = await runCli(args, { cwd, now, stdin: form })
    expect(run).toEqual({ exitCode: 1, stdout: 'invalid\n', stderr: remark })
  })
})
