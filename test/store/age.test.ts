import { armor, Decrypter, generateHybridIdentity } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import {
  binaryOf,
  decryptWithIdentities,
  decryptWithPassphrase,
  encryptForRecipients,
  headerOf,
} from '../../src/store/age.js'
import {
  confirmationOf,
  edited,
  encryptedFor,
  encryptedWith,
  makeAgeKey,
  stanzaOf,
} from '../support/age-files.js'
import { errorOf, rejectionOf } from '../support/store-folder.js'

const text = '{"what":"is inside: é"}\n'
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

const wrongKey =
  'this key does not decrypt the store; pass the right one, or restore the store if it is damaged'
const damaged = {
  code: 'ERR_STORE_INVALID',
  message: 'the store is encrypted, but its file is damaged or incomplete',
}
const changed = { code: 'ERR_STORE_INVALID', message: 'the store was changed since it was encrypted' }

const [ann, ben, cleo] = await Promise.all([makeAgeKey(), makeAgeKey(), makeAgeKey()])
// Post-quantum: its stanza is of another type.
const quinn = await makeAgeKey(generateHybridIdentity)

describe('a file in armor', () => {
  it('is the same without it, and a binary file stays what it is', async () => {
    const file = await encryptedFor([ann.recipient], text)
    expect(Buffer.from(binaryOf(Buffer.from(armor.encode(file))))).toEqual(Buffer.from(file))
    expect(Buffer.from(binaryOf(Buffer.from(armor.encode(file).replaceAll('\n', '\r\n'))))).toEqual(
      Buffer.from(file),
    )
    expect(binaryOf(file)).toBe(file)
  })

  it('is damaged where it cannot be taken off', async () => {
    const file = armor.encode(await encryptedFor([ann.recipient], text))
    for (const part of [file.slice(0, -40), file.replace('\n', '\n!'), '-----BEGIN AGE ENCRYPTED FILE-----'])
      expect(errorOf(() => binaryOf(Buffer.from(part)))).toMatchObject(damaged)
  })
})

describe('the header of a file', () => {
  const header = 'age-encryption.org/v1\n-> X25519 share\nAAAA\n'

  it('ends before its MAC, whatever the content looks like', () => {
    const file = Buffer.from(`${header}--- mac\n\xff\n-> scrypt salt 10\n---\n`, 'latin1')
    expect(headerOf(file)).toBe(header)
  })

  it('is missing in a file that was cut off before it', () => {
    for (const part of [header, header.slice(0, 30), '', `${header}--`])
      expect(errorOf(() => headerOf(Buffer.from(part)))).toMatchObject(damaged)
  })
})

describe('a file with a passphrase', () => {
  it('opens with it, and with no other', async () => {
    const file = await encryptedWith('correct horse', text)
    expect(textOf(await decryptWithPassphrase(file, 'correct horse'))).toBe(text)
    for (const passphrase of ['correct horse ', 'Correct horse', '']) {
      const error = await rejectionOf(decryptWithPassphrase(file, passphrase))
      expect(error).toMatchObject({ code: 'ERR_STORE_KEY_WRONG', message: wrongKey })
    }
  })

  it('is not opened when it was changed or cut off', async () => {
    const file = await encryptedWith('correct horse', text)
    const cut = file.slice(0, headerOf(file).length + 30)
    expect(await rejectionOf(decryptWithPassphrase(cut, 'correct horse'))).toMatchObject(damaged)
    const flipped = Uint8Array.from(file, (byte, at) => (at === file.length - 1 ? byte ^ 1 : byte))
    expect(await rejectionOf(decryptWithPassphrase(flipped, 'correct horse'))).toMatchObject(changed)
  })
})

describe('a file for recipients', () => {
  it('opens with the first identity that fits, and says whose it is', async () => {
    const file = await encryptForRecipients(text, [ann.recipient, ben.recipient, quinn.recipient])
    for (const [given, fits] of [
      [[ann], ann],
      [[cleo, ben, ann], ben],
      [[quinn, ann], quinn],
    ] as const) {
      const identities = given.map(({ identity }) => identity)
      const { content, recipient } = await decryptWithIdentities(file, identities)
      expect(textOf(content)).toBe(text)
      expect(recipient).toBe(fits.recipient)
    }
  })

  it('is an age file, which other programs open', async () => {
    const decrypter = new Decrypter()
    decrypter.addIdentity(ben.identity)
    const file = await encryptForRecipients(text, [ann.recipient, ben.recipient])
    expect(await decrypter.decrypt(file, 'text')).toBe(text)
  })

  it('opens for nobody else, and the error names the kinds that cannot be tried', async () => {
    const file = await encryptForRecipients(text, [ann.recipient])
    const others = [ben.identity, quinn.identity]
    for (const [identities, alsoFor, also] of [
      [others, undefined, ''],
      [others, [], ''],
      [[], undefined, ''],
      [others, ['ssh-rsa keys'], '. It is also for ssh-rsa keys, which cannot be used here'],
      [others, ['A', 'B', 'C'], '. It is also for A and B and C, which cannot be used here'],
    ] as const) {
      const error = await rejectionOf(decryptWithIdentities(file, identities, alsoFor))
      expect(error).toMatchObject({ code: 'ERR_STORE_KEY_WRONG', message: wrongKey + also })
    }
  })

  it('is not opened with what is no identity, which the error does not contain', async () => {
    const file = await encryptForRecipients(text, [ann.recipient])
    for (const bad of ['AGE-SECRET-KEY-1BROKEN', 'BROKEN', ann.recipient, ann.identity.slice(0, -1)]) {
      const error = await rejectionOf(decryptWithIdentities(file, [ben.identity, bad]))
      expect(error).toMatchObject({
        code: 'ERR_CONFIG_INVALID',
        message: 'the age identity is invalid; pass one that age-keygen created',
      })
      expect(error).not.toHaveProperty('cause')
    }
  })

  it('was changed only where a MAC shows it; else it is damaged', async () => {
    const file = await encryptedFor([ann.recipient], text)
    const errorFor = (edit: (whole: string) => string): Promise<unknown> =>
      rejectionOf(decryptWithIdentities(edited(file, edit), [ann.identity]))
    expect(await errorFor((whole) => whole.replace('\n---', '\n-> extra\nAAAA\n---'))).toMatchObject(changed)
    expect(await errorFor((whole) => whole.slice(0, -1) + (whole.endsWith('a') ? 'b' : 'a'))).toMatchObject(
      changed,
    )
    for (const edit of [
      (whole: string) => whole.slice(0, whole.indexOf('\n---') + 20),
      (whole: string) => whole.slice(0, 30),
      (whole: string) => whole.replace('/v1', '/v2'),
      (whole: string) => whole.replace('--- ', '---- '),
      (whole: string) => whole.replace('-> X25519 ', '-> X25519 !'),
    ])
      expect(await errorFor(edit)).toMatchObject(damaged)
  })
})

describe('a list of recipients', () => {
  const two = [ann.recipient, ben.recipient]

  it('is confirmed by a file that was written for it, and by whoever opens it', async () => {
    const file = await encryptForRecipients(text, two)
    for (const { identity } of [ann, ben]) {
      const { vouchesFor } = await decryptWithIdentities(file, [identity])
      expect(await vouchesFor(two)).toBe(true)
      for (const list of [[], [ann.recipient], [ben.recipient, ann.recipient], [...two, cleo.recipient]])
        expect(await vouchesFor(list)).toBe(false)
    }
  })

  it('is confirmed in the same way by every version', async () => {
    const file = await encryptedFor([...two, confirmationOf(two)], text)
    const { vouchesFor } = await decryptWithIdentities(file, [ben.identity])
    expect(await vouchesFor(two)).toBe(true)
    expect(await vouchesFor([ann.recipient])).toBe(false)
  })

  it('is not confirmed by the mark of another file, nor by a file without one', async () => {
    const mark = /\n(-> listed-recipients-grease (\S+))\n/.exec(
      headerOf(await encryptForRecipients(text, two)),
    )
    expect(mark).not.toBeNull()
    for (const more of [[], [stanzaOf('listed-recipients-grease', mark?.[2] ?? '')]]) {
      const file = await encryptedFor([...two, ...more], text)
      const { vouchesFor } = await decryptWithIdentities(file, [ann.identity])
      expect(await vouchesFor(two)).toBe(false)
    }
  })

  it('is not written with what is no recipient, which the error does not contain', async () => {
    const invalid = 'an age recipient is invalid; pass the public key (age1…) that age-keygen printed'
    for (const [bad, message] of [
      ['age1nonsense', invalid],
      [cleo.recipient.slice(0, -1), invalid],
      ['', invalid],
      [
        'ssh-ed25519 AAAAC3Nz',
        'one recipient is an SSH public key, which cannot be used here; use a recipient that age-keygen printed (age1…)',
      ],
      [
        cleo.identity,
        'one recipient is an identity, which is secret; use a recipient that age-keygen printed (age1…)',
      ],
    ] as const) {
      const error = await rejectionOf(encryptForRecipients(text, [ann.recipient, bad]))
      expect(error).toMatchObject({ code: 'ERR_RECIPIENT_INVALID', message })
      expect(error).not.toHaveProperty('cause')
    }
  })
})
