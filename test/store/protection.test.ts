import { describe, expect, it } from 'vitest'
import {
  dropsReaders,
  isEncrypted,
  isUnverified,
  keyMissing,
  plaintext,
  refuseUnverified,
  type ForRecipients,
  type Protection,
} from '../../src/store/protection.js'
import { errorOf } from '../support/store-folder.js'

const recipientsOf = (...recipients: string[]): ForRecipients => ({ kind: 'recipients', recipients })
const openedBy = (own: string, ...recipients: string[]): ForRecipients => ({
  ...recipientsOf(...recipients),
  openedBy: own,
})
const passphrase: Protection = { kind: 'passphrase', passphrase: 'one' }
const passphraseElsewhere: Protection = { ...passphrase, encryptedElsewhere: true }

describe('the bytes of an age file', () => {
  it.each([
    ['binary', 'age-encryption.org/v1\n-> X25519 …', true],
    ['binary, of a later version', 'age-encryption.org/v2', true],
    ['armored', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl', true],
    ['an armored file that ends in its first line', '-----BEGIN AGE ENCRYPTED FILE----', false],
    ['another armored file', '-----BEGIN PGP MESSAGE-----\n', false],
    ['JSON that mentions age', '{ "note": "age-encryption.org/v1" }', false],
    ['nothing', '', false],
  ])('are told from others: %s', (_, text, expected) => {
    expect(isEncrypted(Buffer.from(text))).toBe(expected)
  })
})

describe('a store that was encrypted elsewhere', () => {
  it.each<[string, Protection, RegExp]>([
    [
      'for recipients other than those listed',
      openedBy('a', 'a', 'b'),
      /does not match the file; .*`a2a-totp recipients add`/,
    ],
    [
      'with a passphrase, though it lists recipients',
      passphraseElsewhere,
      /with a passphrase, .*`a2a-totp encrypt --passphrase`/,
    ],
  ])('%s, is not written; the error names the command that repairs it', (_, protection, message) => {
    expect(isUnverified(protection)).toBe(true)
    const error = errorOf(() => refuseUnverified(protection))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNWRITABLE' })
    expect((error as Error).message).toMatch(
      /^the store was encrypted elsewhere.* nothing was changed\. Run /,
    )
    expect((error as Error).message).toMatch(message)
  })

  it.each<[string, Protection]>([
    ['plain text', plaintext],
    ['for the recipients that it lists', recipientsOf('a', 'b')],
    ['with a passphrase', passphrase],
  ])('is not one that this tool wrote: %s', (_, protection) => {
    expect(isUnverified(protection)).toBe(false)
    expect(() => refuseUnverified(protection)).not.toThrow()
  })
})

describe('the store as it was before', () => {
  it.each<[string, Protection, Protection]>([
    ['is in plain text now', passphrase, plaintext],
    ['was in plain text, and is now', plaintext, { kind: 'none' }],
    ['is for the same recipients', recipientsOf('a', 'b'), recipientsOf('b', 'a')],
    ['is for one more', recipientsOf('a'), recipientsOf('a', 'b')],
  ])('may stay beside one that %s', (_, before, after) => {
    expect(dropsReaders(before, after)).toBe(false)
  })

  it('may stay where nothing about its protection changed, with a passphrase too', () => {
    const unconfirmed = openedBy('a', 'a')
    for (const same of [passphrase, unconfirmed]) expect(dropsReaders(same, same)).toBe(false)
  })

  it.each<[string, Protection, Protection]>([
    ['was encrypted since', plaintext, recipientsOf('a')],
    ['was given a passphrase', plaintext, passphrase],
    ['has another passphrase', passphrase, { kind: 'passphrase', passphrase: 'two' }],
    ['has recipients instead of a passphrase', passphrase, recipientsOf('a')],
    ['has a passphrase instead of recipients', recipientsOf('a'), passphrase],
    ['lost one of its recipients', recipientsOf('a', 'b'), recipientsOf('a', 'c')],
    ['lost all of its recipients', recipientsOf('a', 'b'), recipientsOf('c')],
    ['had recipients that cannot be told', openedBy('a', 'a'), recipientsOf('a')],
  ])('must not stay beside one that %s', (_, before, after) => {
    expect(dropsReaders(before, after)).toBe(true)
  })
})

it('a key that is missing has a code of its own', () => {
  expect(keyMissing('no identity was given')).toMatchObject({
    code: 'ERR_STORE_KEY_MISSING',
    message: 'no identity was given',
  })
})
