import { TOTPError } from '../core/errors.js'

/** How a store's file is kept from other readers. */
export type Protection =
  /** Plain JSON, so the file's mode has to do it. */
  | { readonly kind: 'none' }
  /** Encrypted for everyone who has the identity of one of these age recipients. */
  | ForRecipients
  /** Encrypted with a passphrase. Secret. */
  | {
      readonly kind: 'passphrase'
      readonly passphrase: string
      /** Set where recipients are listed inside all the same: it was encrypted elsewhere. */
      readonly encryptedElsewhere?: true
    }

export interface ForRecipients {
  readonly kind: 'recipients'
  readonly recipients: readonly string[]
  /**
   * Set where the file does not bear out the list inside: it was encrypted elsewhere, and for whom cannot be told. It
   * has the one recipient that is certain, that of the identity which opened the file.
   */
  readonly openedBy?: string
}

export const plaintext: Protection = { kind: 'none' }

/** Where the keys of an encrypted store come from. Asked only when one is needed. */
export interface StoreKeys {
  /**
   * @returns age identities, `AGE-SECRET-KEY-1…`. Secret.
   * @throws {TOTPError} `ERR_STORE_KEY_MISSING` when there are none
   */
  readonly identities: () => Promise<readonly string[]>
  /**
   * @returns the passphrase. Secret.
   * @throws {TOTPError} `ERR_STORE_KEY_MISSING` when there is none
   */
  readonly passphrase: () => Promise<string>
}

/** What was inside a store's file, and how the next one is to be protected. */
export interface Unsealed {
  readonly text: string
  /**
   * How the file is protected, given the recipients that are listed inside. age does not write down for whom a file is,
   * so this compares the list with what the header shows.
   */
  readonly protectionWith: (listed: readonly string[]) => Promise<Protection>
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
 * @throws {TOTPError} `ERR_STORE_KEY_MISSING`; `ERR_STORE_KEY_WRONG`; `ERR_STORE_INVALID` when a byte of it was
 *   changed since it was encrypted, or when it is no UTF-8 text
 */
export async function unseal(bytes: Uint8Array, keys: StoreKeys | undefined): Promise<Unsealed> {
  if (!isEncrypted(bytes)) return { text: decode(bytes), protectionWith: () => Promise.resolve(plaintext) }
  if (!keys) throw keyMissing('the store is encrypted, and no key was given for it')
  const age = await import('./age.js')
  const file = age.binaryOf(bytes)
  const stanzas = stanzaTypes(age.headerOf(file))
  if (stanzas.includes('scrypt')) {
    const passphrase = await keys.passphrase()
    const text = decode(await age.decryptWithPassphrase(file, passphrase))
    return {
      text,
      protectionWith: (listed) =>
        Promise.resolve({
          kind: 'passphrase',
          passphrase,
          ...(listed.length > 0 ? { encryptedElsewhere: true } : {}),
        }),
    }
  }
  const identities = await keys.identities()
  const { content, recipient, vouchesFor } = await age.decryptWithIdentities(file, identities)
  const protectionWith = async (listed: readonly string[]): Promise<ForRecipients> => {
    // With one recipient only, it can be nobody but us.
    const alone = stanzas.length === 1 && listed.every((one) => one === recipient)
    if (alone) return { kind: 'recipients', recipients: [recipient] }
    const agrees = listed.length === stanzas.length && (await vouchesFor(listed))
    return { kind: 'recipients', recipients: listed, ...(agrees ? {} : { openedBy: recipient }) }
  }
  return { text: decode(content), protectionWith }
}

/**
 * The bytes of a store's file.
 *
 * @throws {TOTPError} `ERR_RECIPIENT_INVALID`
 */
export async function seal(text: string, protection: Protection): Promise<Uint8Array> {
  if (protection.kind === 'none') return Buffer.from(text)
  const age = await import('./age.js')
  return protection.kind === 'passphrase'
    ? age.encryptWithPassphrase(text, protection.passphrase)
    : age.encryptForRecipients(text, protection.recipients)
}

/**
 * Whether a store was encrypted elsewhere, by the age program say, so that it may be for others than those listed inside.
 * Written for the old ones, it would let in who was taken off, and shut out who was added.
 */
export function isUnverified(protection: Protection): boolean {
  if (protection.kind === 'recipients') return protection.openedBy !== undefined
  return protection.kind === 'passphrase' && protection.encryptedElsewhere === true
}

/** @throws {TOTPError} `ERR_STORE_UNWRITABLE` for such a store, with the command that says anew who may open it */
export function refuseUnverified(protection: Protection): void {
  if (!isUnverified(protection)) return
  throw new TOTPError(
    'ERR_STORE_UNWRITABLE',
    protection.kind === 'recipients'
      ? 'the store was encrypted elsewhere, and its list of recipients does not show for whom; nothing was changed. ' +
          'Run `a2a-totp recipients add` with everybody else who may open it: the old list is dropped, you stay'
      : 'the store was encrypted elsewhere with a passphrase, and lists recipients who cannot open it; nothing was ' +
          'changed. Run `a2a-totp encrypt --passphrase`, or `a2a-totp encrypt --encrypt-to` with everybody who may open it',
  )
}

export function keyMissing(message: string): TOTPError {
  return new TOTPError('ERR_STORE_KEY_MISSING', message)
}

/** The kinds of recipients in an age header, but for those that only keep implementations honest. */
function stanzaTypes(header: string): string[] {
  return Array.from(header.matchAll(/^-> (\S+)/gm), ([, type = '']) => type).filter(
    (type) => !type.endsWith('-grease'),
  )
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new TOTPError('ERR_STORE_INVALID', 'the store is not UTF-8 text; restore it from a backup')
  }
}
