import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  armor,
  generateHybridIdentity,
  generateIdentity,
  identityToRecipient,
  type Encrypter,
} from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { edited, encryptedBy, stanzaOf } from '../support/age-files.js'
import { makeFolder, makeStore, runCli, type CliRun } from '../support/cli.js'

const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')

/** A store encrypted with the library, as another program would, and its header changed. */
async function storeEncryptedBy(
  set: (encrypter: Encrypter) => void,
  edit = (header: string): string => header,
): Promise<string> {
  const cwd = await makeStore(['alice'])
  writeFileSync(storeIn(cwd), edited(await encryptedBy(set, readFileSync(storeIn(cwd))), edit))
  return cwd
}

async function refusedList(cwd: string, env: Record<string, string> = {}): Promise<string> {
  const run: CliRun = await runCli(['list'], { cwd, env })
  expect(run).toMatchObject({ exitCode: 3, stdout: '' })
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
  return run.stderr
}

describe('a store that age encrypted in a way that is not supported', () => {
  const passphrase = (encrypter: Encrypter): void => encrypter.setPassphrase('pass')

  it.each([21, 22, 30, 64])('a work factor of %d is named before a passphrase is wanted', async (factor) => {
    const cwd = await storeEncryptedBy(passphrase, (text) =>
      text.replace(/^(-> scrypt \S+) 2$/m, `$1 ${factor}`),
    )
    const stderr = await refusedList(cwd)
    expect(stderr).toContain(
      `the passphrase of the store has a work factor of ${factor}; at most 20 is supported. Encrypt it again: ` +
        '`age -d STORE | age -p`, which uses 18 (ERR_STORE_UNREADABLE)',
    )
    expect(stderr).not.toContain('changed')
  })

  it('a passphrase beside recipients', async () => {
    const cwd = await storeEncryptedBy(passphrase, (text) =>
      text.replace('\n---', '\n-> X25519 AAAA\nAAAA\n---'),
    )
    expect(await refusedList(cwd)).toContain('a passphrase and recipients, which age does not allow')
  })

  it.each([
    [['ssh-ed25519', 'abc', 'def'], 'ssh-ed25519 keys'],
    [['ssh-rsa', 'abc'], 'ssh-rsa keys'],
    [['piv-p256', 'abc', 'def'], 'the plugin yubikey (piv-p256)'],
    [['p256tag', 'abc', 'def'], 'hardware keys (p256tag)'],
    [['example.com/enclave', 'abc'], 'the unknown kind example.com/enclave'],
  ])('only for %j: said before an identity is wanted', async (args, kind) => {
    const cwd = await storeEncryptedBy((encrypter) => encrypter.addRecipient(stanzaOf(...args)))
    expect(await refusedList(cwd)).toContain(
      `the store is encrypted only for ${kind}, which cannot be used here; encrypt it again with the age program`,
    )
  })

  it('for somebody else, and for an SSH key: the wrong key, and the kind that cannot be tried', async () => {
    const recipient = await identityToRecipient(await generateIdentity())
    const cwd = await storeEncryptedBy((encrypter) => {
      encrypter.addRecipient(recipient)
      encrypter.addRecipient(stanzaOf('ssh-ed25519', 'abc', 'def'))
    })
    const stderr = await refusedList(cwd, { A2A_TOTP_IDENTITY: await generateIdentity() })
    expect(stderr).toContain(
      'It is also for ssh-ed25519 keys, which cannot be used here (ERR_STORE_KEY_WRONG)',
    )
  })

  it('said to be changed only where a MAC shows it', async () => {
    const identity = await generateIdentity()
    const recipient = await identityToRecipient(identity)
    const open = async (edit: (text: string) => string): Promise<string> =>
      refusedList(await storeEncryptedBy((one) => one.addRecipient(recipient), edit), {
        A2A_TOTP_IDENTITY: identity,
      })
    const changed =
      'the store was changed since it was encrypted; run `a2a-totp undo` for the store before its last change, or restore it from a backup'
    const damaged =
      'the store is encrypted, but its file is damaged or incomplete; run `a2a-totp undo` for the store before its last change, or restore it from a backup'
    expect(await open((text) => text.slice(0, -1) + (text.endsWith('a') ? 'b' : 'a'))).toContain(changed)
    expect(await open((text) => text.replace('\n---', '\n-> extra\nAAAA\n---'))).toContain(changed)
    expect(await open((text) => text.slice(0, text.indexOf('\n---') + 20))).toContain(damaged)
    expect(await open((text) => text.slice(0, 30))).toContain(damaged)
    expect(await open((text) => text.replace('/v1', '/v2'))).toContain(damaged)
  })
})

describe('an identity of a kind that is not supported', () => {
  const plugin = 'AGE-PLUGIN-YUBIKEY-1QQPQQQQZ0QPQYZQ'
  const native = 'use an identity that age-keygen made, and encrypt the store for its recipient as well'
  const ssh =
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n'

  it.each([
    [
      'of a plugin',
      `# serial: 1\n${plugin}\n`,
      `an identity of the age plugin yubikey, which cannot be used here; ${native}`,
    ],
    ['SSH', ssh, `an SSH private key, which cannot be used here; ${native}`],
    ['SSH in PEM', ssh.replace('OPENSSH', 'RSA'), 'an SSH private key, which cannot be used here'],
    [
      'encrypted',
      armor.encode(Buffer.from('age-encryption.org/v1\n-> scrypt x 18\n')),
      'encrypted itself; decrypt it into the variable: A2A_TOTP_IDENTITY="$(age -d FILE)"',
    ],
    [
      'a recipient',
      'age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq\n',
      'a recipient, the public part',
    ],
    [
      'in UTF-16',
      Buffer.from('\uFEFF# created: today\r\nAGE-SECRET-KEY-1QQQQ\r\n', 'utf16le'),
      'UTF-16; save it as UTF-8',
    ],
    ['something else', 'GEZDGNBVGY3TQOJQ\n', 'contains no age identity; use a file made by age-keygen'],
  ])('%s: named, in a file and in the variable', async (_, content, words) => {
    const cwd = makeFolder()
    const recipient = await identityToRecipient(await generateIdentity())
    await runCli(['init', '--encrypt-to', recipient], { cwd })
    writeFileSync(join(cwd, 'key'), content)
    const inFile = await refusedList(cwd, { A2A_TOTP_IDENTITY: 'key' })
    expect(inFile).toContain('the file in $A2A_TOTP_IDENTITY ')
    expect(inFile).toContain(words)
    expect(inFile).not.toMatch(/1QQPQ|b3Blb|GEZDG|1QQQQ|1qyqs/)
    if (typeof content !== 'string' || !/^(AGE|#|-----|age1)/.test(content)) return
    const inValue = await refusedList(cwd, { A2A_TOTP_IDENTITY: content })
    expect(inValue).toContain('$A2A_TOTP_IDENTITY is ')
    expect(inValue).toContain(words)
  })

  it.each([generateIdentity, generateHybridIdentity])(
    'one that can be used works beside it',
    async (make) => {
      const cwd = makeFolder()
      const identity = await make()
      await runCli(['init', '--encrypt-to', await identityToRecipient(identity)], { cwd })
      writeFileSync(join(cwd, 'key'), `${plugin}\n${identity}\n`)
      for (const given of ['key', `# from a vault\n${identity}\n`])
        expect((await runCli(['list'], { cwd, env: { A2A_TOTP_IDENTITY: given } })).exitCode).toBe(0)
    },
  )
})

describe('a recipient of a kind that is not supported', () => {
  it.each([
    [
      'age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t',
      'a recipient of the age plugin yubikey',
    ],
    [
      'age1se1qgg72x2qfk9wg3wh0qg9u0v7l5dkq4jx69fv80p6wdus3ftg6flwg5dz2dp',
      'a recipient of the age plugin se',
    ],
    ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA', 'an SSH public key'],
    ['github:octocat', 'the keys of a GitHub user'],
    ['AGE-SECRET-KEY-1QQQQ', 'an identity, which is secret'],
    ['age1nonsense', 'invalid; pass the public key (age1…) that age-keygen printed'],
  ])('%s is refused by its kind, and nothing is changed', async (recipient, words) => {
    const cwd = await makeStore(['alice'])
    const before = readFileSync(storeIn(cwd))
    const run = await runCli(['encrypt', '--encrypt-to', recipient], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain(words)
    expect(run.stderr).not.toContain(recipient)
    expect(readFileSync(storeIn(cwd))).toEqual(before)
  })
})
