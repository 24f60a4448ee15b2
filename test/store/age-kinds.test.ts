import { describe, expect, it } from 'vitest'
import {
  damaged,
  foreignKinds,
  hasOpenable,
  identityProblem,
  passphraseProblem,
  recipientProblem,
  stanzasOf,
  type StanzaHead,
} from '../../src/store/age-kinds.js'

const headOf = (type: string, ...args: string[]): StanzaHead => ({ type, args })

describe('the stanzas of a header', () => {
  it('are named in order, each with its arguments', () => {
    const header =
      'age-encryption.org/v1\n-> X25519 share\nAAAA\n-> ssh-ed25519 tag share\nBBBB\n-> scrypt salt 10\nCCCC\n'
    expect(stanzasOf(header)).toEqual([
      headOf('X25519', 'share'),
      headOf('ssh-ed25519', 'tag', 'share'),
      headOf('scrypt', 'salt', '10'),
    ])
  })

  it('are only where a line begins with an arrow', () => {
    expect(stanzasOf('age-encryption.org/v1-> scrypt salt 10\nAAAA-> ssh-rsa tag\n')).toEqual([])
  })

  it('leave out grease, and only that', () => {
    const header = '-> x!-grease a b\nAAAA\n-> grease a\nAAAA\n-> X25519 share\nAAAA\n-> -grease-x\n'
    expect(stanzasOf(header).map(({ type }) => type)).toEqual(['grease', 'X25519', '-grease-x'])
  })
})

describe('a passphrase', () => {
  const scrypt = (factor: string): StanzaHead => headOf('scrypt', 'salt', factor)

  it.each(['1', '9', '10', '18', '20'])('may open a file with a work factor of %s', (factor) => {
    expect(passphraseProblem([scrypt(factor)])).toBeUndefined()
  })

  it.each(['21', '30', '100', '999'])('opens none with a work factor of %s', (factor) => {
    expect(passphraseProblem([scrypt(factor)])).toBe(
      `the passphrase of the store has a work factor of ${factor}; at most 20 is supported. Encrypt it again: ` +
        '`age -d STORE | age -p`, which uses 18',
    )
  })

  it.each(['', '0', '021', '1000', '-21', '21x', 'x21', '2.1e1'])(
    'is not blamed for %j, which is no work factor',
    (factor) => {
      expect(passphraseProblem([scrypt(factor)])).toBeUndefined()
      expect(passphraseProblem([scrypt(factor), headOf('X25519', 'share')])).toBeUndefined()
    },
  )

  it('opens no file that has recipients too, whichever comes first', () => {
    const both = 'the store has a passphrase and recipients, which age does not allow'
    const recipient = headOf('X25519', 'share', '30')
    expect(passphraseProblem([scrypt('18'), recipient])).toBe(both)
    expect(passphraseProblem([recipient, scrypt('18')])).toBe(both)
    expect(passphraseProblem([recipient, scrypt('30')])).toContain('a work factor of 30')
  })

  it('is not blamed where there is none, or none with a work factor', () => {
    expect(passphraseProblem([])).toBeUndefined()
    expect(passphraseProblem([headOf('X25519', 'share', '30')])).toBeUndefined()
    expect(passphraseProblem([headOf('scrypt', 'salt')])).toBeUndefined()
  })
})

describe('the recipients of a file', () => {
  const kindsOf = (...types: string[]): string[] => foreignKinds(types.map((type) => headOf(type)))

  it.each([
    ['ssh-ed25519', 'ssh-ed25519 keys'],
    ['ssh-rsa', 'ssh-rsa keys'],
    ['piv-p256', 'the plugin yubikey (piv-p256)'],
    ['p256tag', 'hardware keys (p256tag)'],
    ['mlkem768p256tag', 'hardware keys (mlkem768p256tag)'],
    ['example.com/enclave_2', 'the unknown kind example.com/enclave_2'],
    ['ssh-rsa2', 'the unknown kind ssh-rsa2'],
    ['x-ssh-rsa', 'the unknown kind x-ssh-rsa'],
    ['p256tag2', 'the unknown kind p256tag2'],
    ['my-p256tag', 'the unknown kind my-p256tag'],
    ['piv-p256x', 'the unknown kind piv-p256x'],
    ['x25519', 'the unknown kind x25519'],
    ['k'.repeat(40), `the unknown kind ${'k'.repeat(40)}`],
  ])('of the type %s are %s, which no identity here opens', (type, kind) => {
    expect(kindsOf(type)).toEqual([kind])
    expect(hasOpenable([headOf(type)])).toBe(false)
  })

  it.each(['k'.repeat(41), 'a\u001b[31m', '\u001b[31mred', 'caf\u00e9', '!'])(
    'of the type %j are unknown, and the type is not shown',
    (type) => {
      expect(kindsOf(type)).toEqual(['an unknown kind'])
    },
  )

  it('name each kind that cannot be opened once, in order, and none that can be', () => {
    expect(
      kindsOf('X25519', 'ssh-rsa', 'mlkem768x25519', 'piv-p256', 'ssh-rsa', 'ssh-ed25519', 'piv-p256'),
    ).toEqual(['ssh-rsa keys', 'the plugin yubikey (piv-p256)', 'ssh-ed25519 keys'])
    expect(kindsOf('X25519', 'mlkem768x25519')).toEqual([])
  })

  it.each(['X25519', 'mlkem768x25519'])('can be tried where one of them is %s', (type) => {
    expect(hasOpenable([headOf(type)])).toBe(true)
    expect(hasOpenable([headOf('ssh-rsa'), headOf(type), headOf('piv-p256')])).toBe(true)
  })

  it('cannot be tried where there are none', () => {
    expect(hasOpenable([])).toBe(false)
  })
})

describe('what was given as an identity', () => {
  const native = 'use an identity that age-keygen made, and encrypt the store for its recipient as well'
  const ofPlugin = (name: string): string =>
    `an identity of the age plugin ${name}, which cannot be used here; ${native}`
  const ssh = `an SSH private key, which cannot be used here; ${native}`
  const encrypted = 'encrypted itself; decrypt it into the variable: A2A_TOTP_IDENTITY="$(age -d FILE)"'
  const recipient = 'a recipient, the public part; use the identity, AGE-SECRET-KEY-1…'

  it.each([
    ['AGE-PLUGIN-YUBIKEY-1QQPQQQQZ0QPQYZQ', ofPlugin('yubikey')],
    ['age-plugin-yubikey-1qqpqqqqz0qpqyzq', ofPlugin('yubikey')],
    ['# serial: 1\nAGE-PLUGIN-SE-1QQPQ\n# end', ofPlugin('se')],
    ['AGE-PLUGIN-X.Y_Z+9-A-1', ofPlugin('x.y_z+9-a')],
    [`AGE-PLUGIN-${'P'.repeat(32)}-1QQPQ`, ofPlugin('p'.repeat(32))],
    ...['OPENSSH ', 'RSA ', 'EC ', 'DSA ', 'ENCRYPTED ', ''].map((kind) => [
      `-----BEGIN ${kind}PRIVATE KEY-----\nb3BlbnNzaC1r\n`,
      ssh,
    ]),
    ['# mine\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n', ssh],
    ['-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVu\n', encrypted],
    ['age-encryption.org/v1\n-> scrypt x 18\n', encrypted],
    ['age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq', recipient],
    ['# key of the agent\nage1qyqszqgpqyqszqgpq', recipient],
    ['ssh-ed25519 AAAAC3Nz', recipient],
    ['ssh-rsa AAAAB3Nz', recipient],
  ])('%j is told what it is', (text, problem) => {
    expect(identityProblem(text)).toBe(problem)
  })

  it.each([
    'AGE-SECRET-KEY-1QQQQ',
    '# public key: age1qyqszqgpqyqszqgpq\nAGE-SECRET-KEY-1QQQQ\n',
    '# made for age-encryption.org/v1',
    '# AGE-PLUGIN-YUBIKEY-1QQPQ',
    'AGE-PLUGIN-YUBIKEY-1QQPQ!',
    `AGE-PLUGIN-${'P'.repeat(33)}-1QQPQ`,
    '# not -----BEGIN OPENSSH PRIVATE KEY-----',
    '-----BEGIN PUBLIC KEY-----\nMCow\n',
    'ssh-dss AAAAB3Nz',
    'key.txt',
    '',
  ])('%j is none of these', (text) => {
    expect(identityProblem(text)).toBeUndefined()
  })
})

describe('what was given as a recipient', () => {
  const native = 'use a recipient that age-keygen printed (age1…)'
  const ofPlugin = (name: string): string =>
    `a recipient of the age plugin ${name}, which cannot be used here; ${native}`
  const ssh = `an SSH public key, which cannot be used here; ${native}`
  const github = `the keys of a GitHub user, which cannot be used here; ${native}`
  const identity = `an identity, which is secret; ${native}`

  it.each([
    ['ssh-ed25519 AAAAC3Nz', ssh],
    ['ecdsa-sha2-nistp256 AAAAE2Vj', ssh],
    ['sk-ssh-ed25519@openssh.com AAAAGnNr', ssh],
    ['github:octocat', github],
    ['GitHub:octocat', github],
    ['AGE-SECRET-KEY-1QQQQ', identity],
    ['AGE-SECRET-KEY-PQ-1QQQQ', identity],
    ['age-plugin-yubikey-1qqpq', identity],
    ['age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t', ofPlugin('yubikey')],
    ['age1se1qgg72x2qfk9wg3wh0qg9u0v7l5dkq4jx69fv80p6wdus3ftg6flwg5dz2dp', ofPlugin('se')],
    ['age1x.y_z+9-a1', ofPlugin('x.y_z+9-a')],
    ['age1tagged1qqpq', ofPlugin('tagged')],
    ['age1mypq1qqpq', ofPlugin('mypq')],
    [`age1${'p'.repeat(32)}1qqpq`, ofPlugin('p'.repeat(32))],
  ])('%j is told what it is', (text, problem) => {
    expect(recipientProblem(text)).toBe(problem)
  })

  it.each([
    'age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq',
    'age1pq1qqpq',
    'age1tag1qqpq',
    'age1tagpq1qqpq',
    `age1${'p'.repeat(33)}1qqpq`,
    'age1yubikey1qqpq!',
    'my-age1yubikey1qqpq',
    'from="10.0.0.1" ssh-ed25519 AAAAC3Nz',
    'git@github:octocat',
    'x-AGE-SECRET-KEY-1QQQQ',
    'alice',
    '',
  ])('%j is none of these', (text) => {
    expect(recipientProblem(text)).toBeUndefined()
  })
})

it('a file that was cut off is damaged, which is no matter of keys', () => {
  expect(damaged()).toMatchObject({
    code: 'ERR_STORE_INVALID',
    message: 'the store is encrypted, but its file is damaged or incomplete',
  })
})
