import { createHmac } from 'node:crypto'
import { armor, Decrypter, Encrypter, identityToRecipient, Stanza, type Recipient } from 'age-encryption'
import { TOTPError } from '../core/errors.js'
import { damaged, recipientProblem } from './age-kinds.js'

// A bundle of its own, so that only commands on encrypted stores load it.

/** Removes the armor of an age file, if it has one. */
export function binaryOf(file: Uint8Array): Uint8Array {
  const text = Buffer.from(file).toString('latin1')
  if (!text.startsWith('-----')) return file
  try {
    return armor.decode(text)
  } catch {
    throw damaged()
  }
}

export async function decryptWithPassphrase(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  return (await decrypted(file, decrypter)) ?? fail()
}

/** The type of the stanza that confirms a list of recipients. age skips unknown types. */
const vouchingType = 'listed-recipients-grease'

/** A file that one of the identities decrypted. */
export interface OpenedFile {
  readonly content: Uint8Array
  /** The recipient of that identity. */
  readonly recipient: string
  /** Whether a2a-totp wrote the header, for exactly these recipients. */
  readonly vouchesFor: (recipients: readonly string[]) => Promise<boolean>
}

/**
 * Decrypts a file with the first identity that fits.
 *
 * @param alsoFor the kinds of its other recipients, for the error
 */
export async function decryptWithIdentities(
  file: Uint8Array,
  identities: readonly string[],
  alsoFor: readonly string[] = [],
): Promise<OpenedFile> {
  for (const identity of identities) {
    const decrypter = new Decrypter()
    try {
      decrypter.addIdentity(identity)
    } catch {
      // Without the cause, which may quote the identity.
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        'the age identity is invalid; pass one that age-keygen created',
      )
    }
    const content = await decrypted(file, decrypter)
    if (content) {
      return {
        content,
        recipient: await identityToRecipient(identity),
        async vouchesFor(recipients) {
          const voucher = voucherOf(await decrypter.decryptHeader(file), recipients)
          return headerOf(file).includes(`\n-> ${vouchingType} ${voucher}\n`)
        },
      }
    }
  }
  return fail(alsoFor)
}

export async function encryptWithPassphrase(text: string, passphrase: string): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  return encrypter.encrypt(text)
}

/** @throws {TOTPError} `ERR_RECIPIENT_INVALID` */
export async function encryptForRecipients(text: string, recipients: readonly string[]): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient)
    } catch {
      // Without quoting it: it may be an identity that was pasted by mistake.
      const problem = recipientProblem(recipient)
      throw new TOTPError(
        'ERR_RECIPIENT_INVALID',
        problem === undefined
          ? 'an age recipient is invalid; pass the public key (age1…) that age-keygen printed'
          : `one recipient is ${problem}`,
      )
    }
  }
  encrypter.addRecipient(vouchingFor(recipients))
  return encrypter.encrypt(text)
}

/**
 * Not a recipient, but a stanza with a MAC of the list, keyed with the file key. age does not record whom a file is
 * encrypted for; without this stanza, a file that was re-encrypted elsewhere for other recipients would go unnoticed.
 */
const vouchingFor = (recipients: readonly string[]): Recipient => ({
  wrapFileKey: (fileKey) => [new Stanza([vouchingType, voucherOf(fileKey, recipients)], new Uint8Array())],
})

function voucherOf(fileKey: Uint8Array, recipients: readonly string[]): string {
  const text = ['a2a-totp recipients', ...recipients].join('\n')
  return createHmac('sha256', fileKey).update(text).digest('base64url')
}

/** The header of an age file, up to the line with its MAC. @throws {TOTPError} `ERR_STORE_INVALID` when it has none */
export function headerOf(file: Uint8Array): string {
  const text = Buffer.from(file).toString('latin1')
  const end = text.indexOf('\n---')
  if (end < 0) throw damaged()
  return text.slice(0, end + 1)
}

/** Undefined when the key does not fit. */
async function decrypted(file: Uint8Array, decrypter: Decrypter): Promise<Uint8Array | undefined> {
  try {
    return await decrypter.decrypt(file)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (message.startsWith('no identity matched')) return undefined
    // Only a MAC shows a change; anything else may never have been an age file.
    throw /^invalid (header HMAC|tag)$/.test(message) ? changed() : damaged()
  }
}

function fail(alsoFor: readonly string[] = []): never {
  const also =
    alsoFor.length === 0 ? '' : `. It is also for ${alsoFor.join(' and ')}, which cannot be used here`
  throw new TOTPError(
    'ERR_STORE_KEY_WRONG',
    `this key does not decrypt the store; pass the right one, or restore the store if it is damaged${also}`,
  )
}

function changed(): TOTPError {
  return new TOTPError('ERR_STORE_INVALID', 'the store was changed since it was encrypted')
}
