import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')
const isAge = (cwd: string): boolean =>
  readFileSync(storeIn(cwd), 'latin1').startsWith('age-encryption.org/v1\n')

let [identity, recipient, other] = ['', '', '']
beforeAll(async () => {
  ;[identity, other] = await Promise.all([generateIdentity(), generateIdentity()])
  recipient = await identityToRecipient(identity)
})

describe('an encrypted store', () => {
  it('is made by init, stays out of .gitignore, and serves every command', async () => {
    const cwd = makeFolder()
    execFileSync('git', ['init', '-q'], { cwd })
    const init = await runCli(['init', '--encrypt-to', recipient], { cwd })
    expect(init).toMatchObject({ exitCode: 0, stdout: `${storeIn(cwd)}\n` })
    expect(isAge(cwd)).toBe(true)
    expect(statSync(storeIn(cwd)).mode & 0o777).toBe(0o600)
    expect(existsSync(join(cwd, '.gitignore'))).toBe(false)
    const env = { A2A_TOTP_IDENTITY: identity }
    expect((await runCli(['add-peer', 'alice', 'bob'], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['rotate', 'alice'], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['code', 'alice', '--at', '59'], { cwd, env })).stdout).toMatch(/^\d{6}\n$/)
    expect((await runCli(['config', 'server'], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['remove-peer', 'bob', '--yes'], { cwd, env })).exitCode).toBe(0)
    expect(isAge(cwd)).toBe(true)
  })

  it('takes a file with an identity, as age-keygen writes it', async () => {
    const cwd = makeFolder()
    await runCli(['init', '--encrypt-to', recipient], { cwd })
    writeFileSync(join(cwd, 'key.txt'), `# created: today\n# public key: ${recipient}\n${identity}\n`)
    expect((await runCli(['list'], { cwd, env: { A2A_TOTP_IDENTITY: 'key.txt' } })).exitCode).toBe(0)
  })

  it('does not open with the wrong key or none: exit 3, and nothing is changed or told', async () => {
    const cwd = makeFolder()
    await runCli(['init', '--encrypt-to', recipient], { cwd })
    const before = readFileSync(storeIn(cwd))
    writeFileSync(join(cwd, 'empty.txt'), '# nothing\n')
    const slip = identity.replace('AGE', 'AGG')
    for (const [given, code] of [
      [undefined, 'ERR_STORE_KEY_MISSING'],
      [other, 'ERR_STORE_KEY_WRONG'],
      [slip, 'ERR_CONFIG_INVALID'],
      ['empty.txt', 'ERR_CONFIG_INVALID'],
      [cwd, 'ERR_CONFIG_INVALID'],
    ] as const) {
      const env: Record<string, string> = given === undefined ? {} : { A2A_TOTP_IDENTITY: given }
      const run = await runCli(['add-peer', 'mallory'], { cwd, env })
      expect(run, code).toMatchObject({ exitCode: 3, stdout: '' })
      expect(run.stderr).toContain(`(${code})`)
      if (given) expect(run.stderr).not.toContain(given)
      expect(readFileSync(storeIn(cwd))).toEqual(before)
    }
  })

  it('works with a passphrase, and not with another', async () => {
    const cwd = makeFolder()
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse' }
    expect((await runCli(['init', '--passphrase'], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['list'], { cwd, env })).exitCode).toBe(0)
    const before = readFileSync(storeIn(cwd))
    const wrong = await runCli(['add-peer', 'alice'], { cwd, env: { A2A_TOTP_PASSPHRASE: 'wrong horse' } })
    expect(wrong).toMatchObject({ exitCode: 3, stdout: '' })
    expect(wrong.stderr).toContain('ERR_STORE_KEY_WRONG')
    expect(wrong.stderr).not.toContain('horse')
    expect(readFileSync(storeIn(cwd))).toEqual(before)
  }, 240_000)

  it('needs a passphrase from somewhere, and one kind of key', async () => {
    const cwd = makeFolder()
    expect(await runCli(['init', '--passphrase'], { cwd })).toMatchObject({ exitCode: 3, stdout: '' })
    const both = await runCli(['init', '--passphrase', '--encrypt-to', recipient], { cwd })
    expect(both).toMatchObject({ exitCode: 2, stdout: '' })
    const bad = await runCli(['init', '--encrypt-to', identity], { cwd })
    expect(bad).toMatchObject({ exitCode: 2, stdout: '' })
    expect(bad.stderr).not.toContain(identity)
    expect(existsSync(storeIn(cwd))).toBe(false)
  })
})

describe('encrypt and decrypt', () => {
  it('change a store that is there, and nothing in it', async () => {
    const cwd = await makeStore(['alice'])
    execFileSync('git', ['init', '-q'], { cwd })
    const text = readFileSync(storeIn(cwd), 'utf8')
    expect((await runCli(['encrypt', '--encrypt-to', recipient], { cwd })).exitCode).toBe(0)
    expect(isAge(cwd)).toBe(true)
    expect(await runCli(['decrypt'], { cwd })).toMatchObject({ exitCode: 3, stdout: '' })
    expect(isAge(cwd)).toBe(true)
    const env = { A2A_TOTP_IDENTITY: identity }
    expect((await runCli(['decrypt'], { cwd, env })).exitCode).toBe(0)
    expect(readFileSync(storeIn(cwd), 'utf8')).toBe(text)
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toContain('/a2a-totp.json\n')
    const again = await runCli(['decrypt'], { cwd, env })
    expect(again).toMatchObject({ exitCode: 0, stdout: '' })
    expect(again.stderr).toContain('nothing was changed')
  })

  it('use a passphrase when nothing else is said, and need the old key for a new one', async () => {
    const cwd = await makeStore(['alice'])
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse' }
    expect((await runCli(['encrypt'], { cwd })).exitCode).toBe(3)
    expect((await runCli(['encrypt'], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['encrypt', '--encrypt-to', recipient], { cwd })).exitCode).toBe(3)
    expect((await runCli(['encrypt', '--encrypt-to', recipient], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['list'], { cwd, env: { A2A_TOTP_IDENTITY: identity } })).exitCode).toBe(0)
  }, 240_000)
})

describe('recipients', () => {
  it('are listed, added and removed, all of those named or none', async () => {
    const cwd = await makeStore(['alice'])
    await runCli(['encrypt', '--encrypt-to', recipient], { cwd })
    const env = { A2A_TOTP_IDENTITY: identity }
    const second = await identityToRecipient(other)
    const list = async (): Promise<unknown> =>
      parseJson(await runCli(['recipients', 'list', '--json'], { cwd, env }))['recipients']
    expect((await runCli(['recipients', 'add', second], { cwd, env })).exitCode).toBe(0)
    expect(await list()).toEqual([recipient, second])
    expect((await runCli(['list'], { cwd, env: { A2A_TOTP_IDENTITY: other } })).exitCode).toBe(0)
    expect((await runCli(['recipients', 'add', second], { cwd, env })).exitCode).toBe(1)
    expect((await runCli(['recipients', 'remove', second, 'age1nobody'], { cwd, env })).exitCode).toBe(1)
    expect((await runCli(['recipients', 'remove', second, recipient], { cwd, env })).exitCode).toBe(2)
    expect(await list()).toEqual([recipient, second])
    expect((await runCli(['recipients', 'remove', second], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['list'], { cwd, env: { A2A_TOTP_IDENTITY: other } })).exitCode).toBe(3)
    expect((await runCli(['recipients', 'list'], { cwd, env })).stdout).toBe(`${recipient}\n`)
  })

  it('are not a matter of a store without any', async () => {
    const run = await runCli(['recipients', 'list'], { cwd: await makeStore() })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('encrypt --encrypt-to')
  })
})
