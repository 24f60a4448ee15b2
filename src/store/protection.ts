import { A2aTotpError } from '../core/errors.js'

/** How a store's file is kept from other readers. */
export type Protection =
  /** Plain JSON, so the file's mode has to do it. */
  | { readonly kind: 'none' }
  /** Encrypted for everyone who has the identity of one of these age recipients. */
  | { readonly kind: 'recipients'; readonly recipients: readonly string[] }
  /** Encrypted with a passphrase. Secret. */
  | { readonly kind: 'passphrase'; readonly passphrase: string }

export const plaintext: Protection = { kind: 'none' }

/** Where the keys of an encrypted store come from. Asked only when one is needed. */
export interface StoreKeys {
  /**
   * @returns age identities, `AGE-SECRET-KEY-1…`. Secret.
   * @throws {A2aTotpError} `ERR_STORE_KEY_MISSING` when there are none
   */
  readonly identities: () => Promise<readonly string[]>
  /**
   * @returns the passphrase. Secret.
   * @throws {A2aTotpError} `ERR_STORE_KEY_MISSING` when there is none
   */
  readonly passphrase: () => Promise<string>
}

/** What was inside a store's file, and how the next one is to be protected. */
export interface Unsealed {
  readonly text: string
  /** Of a store for recipients: those that the file itself shows, which is none unless it shows exactly ours. */
  readonly protection: Protection
}

const intro = 'age-encryption.org/'
const armorIntro = '-----BEGIN AGE ENCRYPTED FILE-----'

/** Whether a file is one of age's (https://age-encryption.org/v1), binary or armored. */
export function isEncrypted(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, armorIntro.length)).toString('latin1')
  return start.startsWith(intro) || start === armorIntro
}

/**
 * Takes the encryption off a store's bytes, if there is one.
 *
 * @throws {A2aTotpError} `ERR_STORE_KEY_MISSING`; `ERR_STORE_KEY_WRONG`; `ERR_STORE_INVALID` when a byte of it was
 *   changed since it was encrypted, or when it is no UTF-8 text
 */
export async function unseal(bytes: Uint8Array, keys: StoreKeys | undefined): Promise<Unsealed> {
  if (!isEncrypted(bytes)) return { text: decode(bytes), protection: plaintext }
  if (!keys) throw keyMissing('the store is encrypted, and no key was given for it')
  const age = await import('./age.js')
  const file = age.binaryOf(bytes)
  const stanzas = stanzaTypes(file)
  if (stanzas.includes('scrypt')) {
    const passphrase = await keys.passphrase()
    const text = decode(await age.decryptWithPassphrase(file, passphrase))
    return { text, protection: { kind: 'passphrase', passphrase } }
  }
  const identities = await keys.identities()
  const { content, recipient } = await age.decryptWithIdentities(file, identities)
  // age does not write down for whom a file is. With one recipient only, it can be nobody but us.
  const recipients = stanzas.length === 1 ? [recipient] : []
  return { text: decode(content), protection: { kind: 'recipients', recipients } }
}

/**
 * The bytes of a store's file.
 *
 * @throws {A2aTotpError} `ERR_RECIPIENT_INVALID`
 */
export async function seal(text: string, protection: Protection): Promise<Uint8Array> {
  if (protection.kind === 'none') return Buffer.from(text)
  const age = await import('./age.js')
  return protection.kind === 'passphrase'
    ? age.encryptWithPassphrase(text, protection.passphrase)
    : age.encryptForRecipients(text, protection.recipients)
}

export function keyMissing(message: string): A2aTotpError {
  return new A2aTotpError('ERR_STORE_KEY_MISSING', message)
}

/** The kinds of recipients in an age header, but for those that only keep implementations honest. */
function stanzaTypes(file: Uint8Array): string[] {
  const [header = ''] = Buffer.from(file).toString('latin1').split('\n---', 1)
  return Array.from(header.matchAll(/^-> (\S+)/gm), ([, type = '']) => type).filter(
    (type) => !type.endsWith('-grease'),
  )
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new A2aTotpError('ERR_STORE_INVALID', 'the store is not UTF-8 text; restore it from a backup')
  }
}
