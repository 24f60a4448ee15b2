import { armor } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { headerOf } from '../../src/store/age.js'
import type { Protection, StoreKeys } from '../../src/store/protection.js'
import { seal, unseal } from '../../src/store/sealing.js'
import {
  confirmationOf,
  edited,
  encryptedFor,
  encryptedWith,
  makeAgeKey,
  stanzaOf,
  type AgeKey,
} from '../support/age-files.js'
import { rejectionOf } from '../support/store-folder.js'

const text = '{"what":"is inside: é"}\n'
const [ann, ben, cleo] = await Promise.all([makeAgeKey(), makeAgeKey(), makeAgeKey()])
const two = [ann.recipient, ben.recipient]

const notAsked = (what: string) => (): Promise<never> => Promise.reject(new Error(`it asked for ${what}`))
const noKeys: StoreKeys = { identities: notAsked('an identity'), passphrase: notAsked('a passphrase') }
const keysOf = (...keys: AgeKey[]): StoreKeys => ({
  ...noKeys,
  identities: () => Promise.resolve(keys.map(({ identity }) => identity)),
})
const passphraseKeys = (passphrase: string): StoreKeys => ({
  ...noKeys,
  passphrase: () => Promise.resolve(passphrase),
})

/** What the protection of a file is said to be, for a list inside. */
async function protectionOf(
  file: Uint8Array,
  keys: StoreKeys,
  listed: readonly string[],
): Promise<Protection> {
  const unsealed = await unseal(file, keys)
  expect(unsealed.text).toBe(text)
  return unsealed.protectionWith(listed)
}

describe('a store in plain text', () => {
  it('needs no key, and stays plain', async () => {
    for (const keys of [undefined, noKeys]) {
      const unsealed = await unseal(Buffer.from(text), keys)
      expect(unsealed.text).toBe(text)
      expect(await unsealed.protectionWith(two)).toEqual({ kind: 'none' })
    }
    expect(Buffer.from(await seal(text, { kind: 'none' }))).toEqual(Buffer.from(text))
  })

  it('is refused in another encoding, which is named, encrypted or not', async () => {
    const latin1 = Buffer.from(text, 'latin1')
    const sealed: [Uint8Array, StoreKeys][] = [
      [latin1, noKeys],
      [await encryptedFor([ann.recipient], latin1), keysOf(ann)],
    ]
    for (const [file, keys] of sealed)
      expect(await rejectionOf(unseal(file, keys))).toMatchObject({
        code: 'ERR_STORE_INVALID',
        message:
          'the store is not UTF-8 text; if it is text in Latin-1 or another encoding, save it as UTF-8',
      })
  })
})

describe('an encrypted store', () => {
  it('needs a key, whatever it is encrypted with', async () => {
    const files = [await encryptedFor([ann.recipient], text), await encryptedWith('correct horse', text)]
    for (const file of [...files, Buffer.from('age-encryption.org/v1\n')])
      expect(await rejectionOf(unseal(file, undefined))).toMatchObject({
        code: 'ERR_STORE_KEY_MISSING',
        message: 'the store is encrypted, and no key was given for it',
      })
  })

  it('opens in armor too', async () => {
    const file = Buffer.from(armor.encode(await encryptedFor([ann.recipient], text)))
    expect((await unseal(file, keysOf(ann))).text).toBe(text)
  })

  it.each([
    ['cut off in its header', (whole: string) => whole.slice(0, 40)],
    ['without recipients', (whole: string) => whole.replace(/\n->[^]*?\n---/, '\n---')],
    ['with nothing but grease', (whole: string) => whole.replace('-> X25519', '-> x-grease')],
  ])('%s is damaged, and asks for no key', async (_, edit) => {
    const file = edited(await encryptedFor([ann.recipient], text), edit)
    expect(await rejectionOf(unseal(file, noKeys))).toMatchObject({
      code: 'ERR_STORE_INVALID',
      message: 'the store is encrypted, but its file is damaged or incomplete',
    })
  })
})

describe('a store with a passphrase', () => {
  const passphrase = 'correct horse'

  it('opens with it, asks for no identity, and keeps it', async () => {
    const file = await encryptedWith(passphrase, text)
    expect(await protectionOf(file, passphraseKeys(passphrase), [])).toEqual({
      kind: 'passphrase',
      passphrase,
      encryptedElsewhere: undefined,
    })
    expect(await rejectionOf(unseal(file, passphraseKeys('wrong')))).toMatchObject({
      code: 'ERR_STORE_KEY_WRONG',
    })
  })

  it('was encrypted elsewhere where it lists recipients, who cannot open it', async () => {
    const file = await encryptedWith(passphrase, text)
    for (const listed of [[ann.recipient], two])
      expect(await protectionOf(file, passphraseKeys(passphrase), listed)).toEqual({
        kind: 'passphrase',
        passphrase,
        encryptedElsewhere: true,
      })
  })

  it('that no passphrase opens does not ask for one', async () => {
    const file = await encryptedWith(passphrase, text)
    for (const [edit, words] of [
      [(whole: string) => whole.replace(/^(-> scrypt \S+) 2$/m, '$1 21'), 'a work factor of 21'],
      [(whole: string) => whole.replace('\n---', '\n-> X25519 AAAA\nAAAA\n---'), 'and recipients'],
      [(whole: string) => whole.replace('\n->', '\n-> X25519 AAAA\nAAAA\n->'), 'and recipients'],
    ] as const)
      expect(await rejectionOf(unseal(edited(file, edit), noKeys))).toMatchObject({
        code: 'ERR_STORE_UNREADABLE',
        message: expect.stringContaining(words) as string,
      })
  })

  it('is sealed at a work factor of 18, as the age program does it', async () => {
    const sealed = await seal(text, { kind: 'passphrase', passphrase })
    expect(headerOf(sealed)).toMatch(/^age-encryption\.org\/v1\n-> scrypt \S+ 18\n\S+\n$/)
    expect((await unseal(sealed, passphraseKeys(passphrase))).text).toBe(text)
  }, 60_000)
})

describe('a store that no identity of ours opens', () => {
  it.each([
    [[['ssh-rsa', 'tag']], 'ssh-rsa keys'],
    [
      [
        ['piv-p256', 'tag'],
        ['ssh-ed25519', 'tag'],
      ],
      'the plugin yubikey (piv-p256) and ssh-ed25519 keys',
    ],
  ])('for %j is refused before an identity is asked for', async (stanzas, kinds) => {
    const file = await encryptedFor(
      stanzas.map((args) => stanzaOf(...args)),
      text,
    )
    expect(await rejectionOf(unseal(file, noKeys))).toMatchObject({
      code: 'ERR_STORE_UNREADABLE',
      message:
        `the store is encrypted only for ${kinds}, which cannot be used here; encrypt it again with the age program, ` +
        'for a recipient that age-keygen printed: `age -d -i KEY STORE | age -r age1…`',
    })
  })

  it('but may open with another one says what else it is for', async () => {
    const file = await encryptedFor([stanzaOf('ssh-rsa', 'tag'), ann.recipient], text)
    expect(await rejectionOf(unseal(file, keysOf(ben)))).toMatchObject({
      code: 'ERR_STORE_KEY_WRONG',
      message: expect.stringMatching(/\. It is also for ssh-rsa keys, which cannot be used here$/) as string,
    })
    expect((await unseal(file, keysOf(ann))).text).toBe(text)
  })
})

describe('a store for recipients', () => {
  it('stays one for those whom it was sealed for, whoever opens it', async () => {
    const sealed = await seal(text, { kind: 'recipients', recipients: two })
    for (const key of [ann, ben])
      expect(await protectionOf(sealed, keysOf(key), two)).toEqual({
        kind: 'recipients',
        recipients: two,
        openedBy: undefined,
      })
    expect(await rejectionOf(unseal(sealed, keysOf(cleo)))).toMatchObject({ code: 'ERR_STORE_KEY_WRONG' })
  })

  it('is for the one who opens it where it has no other, and lists none or that one', async () => {
    const sealed = await seal(text, { kind: 'recipients', recipients: [ann.recipient] })
    for (const file of [sealed, await encryptedFor([ann.recipient], text)])
      for (const listed of [[], [ann.recipient]])
        expect(await protectionOf(file, keysOf(ann), listed)).toEqual({
          kind: 'recipients',
          recipients: [ann.recipient],
        })
  })

  it.each([
    ['lists somebody else', [ann.recipient], [ben.recipient]],
    ['lists somebody who cannot open it', [ann.recipient], two],
    ['lists as many as can open it, unconfirmed', two, two],
    ['lists nobody, and is for others too', two, []],
    ['lists one of two', two, [ann.recipient]],
  ])('was encrypted elsewhere where it %s', async (_, recipients, listed) => {
    expect(await protectionOf(await encryptedFor(recipients, text), keysOf(ann), listed)).toEqual({
      kind: 'recipients',
      recipients: listed,
      openedBy: ann.recipient,
    })
  })

  it('is not believed for a confirmed list that leaves out one who can open it', async () => {
    const file = await encryptedFor([...two, cleo.recipient, confirmationOf(two)], text)
    expect(await protectionOf(file, keysOf(ann), two)).toMatchObject({ openedBy: ann.recipient })
    const all = [...two, cleo.recipient]
    expect(await protectionOf(file, keysOf(ann), all)).toMatchObject({ openedBy: ann.recipient })
  })

  it('is not sealed for what is no recipient', async () => {
    const sealed = seal(text, { kind: 'recipients', recipients: [ann.recipient, 'age1nonsense'] })
    expect(await rejectionOf(sealed)).toMatchObject({ code: 'ERR_RECIPIENT_INVALID' })
  })
})
