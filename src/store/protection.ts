import { TOTPError } from '../core/errors.js'

/** How a store's file is protected from other readers. */
export type Protection =
  /** Plain JSON: only the file's mode protects it. */
  | { readonly kind: 'none' }
  /** Encrypted for everyone who has the identity of one of these age recipients. */
  | ForRecipients
  /** Encrypted with a passphrase. Secret. */
  | {
      readonly kind: 'passphrase'
      readonly passphrase: string
      /** Set when recipients are listed inside nevertheless: the file was encrypted elsewhere. */
      readonly encryptedElsewhere?: true
    }

export interface ForRecipients {
  readonly kind: 'recipients'
  readonly recipients: readonly string[]
  /**
   * Set when the file does not confirm the list inside: it was encrypted elsewhere, and its recipients cannot be told.
   * Holds the only one that is certain, that of the identity which opened the file.
   */
  readonly openedBy?: string
}

export const plaintext: Protection = { kind: 'none' }

/** Where the keys of an encrypted store come from. Called only when a key is needed. */
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

const intro = 'age-encryption.org/'
const armorIntro = '-----BEGIN AGE ENCRYPTED FILE-----'

/** Whether bytes are an age file (https://age-encryption.org/v1), binary or armored. */
export function isEncrypted(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, armorIntro.length)).toString('latin1')
  return start.startsWith(intro) || start === armorIntro
}

/**
 * Whether a store was encrypted elsewhere, for example by the age program, possibly for other recipients than those
 * listed inside. Writing it for the listed ones could let in a removed recipient, and shut out an added one.
 */
export function isUnverified(protection: Protection): boolean {
  if (protection.kind === 'recipients') return protection.openedBy !== undefined
  return protection.kind === 'passphrase' && protection.encryptedElsewhere === true
}

/** Whether somebody who can open the one may be unable to open the other: then the one must not stay beside it. */
export function dropsReaders(before: Protection, after: Protection): boolean {
  if (before === after || after.kind === 'none') return false
  if (before.kind !== 'recipients' || after.kind !== 'recipients') return true
  return before.openedBy !== undefined || before.recipients.some((one) => !after.recipients.includes(one))
}

/** @throws {TOTPError} `ERR_STORE_UNWRITABLE` for such a store, with the command that sets its recipients anew */
export function refuseUnverified(protection: Protection): void {
  if (!isUnverified(protection)) return
  throw new TOTPError(
    'ERR_STORE_UNWRITABLE',
    protection.kind === 'recipients'
      ? 'the store was encrypted elsewhere, and its list of recipients does not match the file; nothing was changed. ' +
          'Run `a2a-totp recipients add` with everyone else who may open it: this drops the old list and keeps you'
      : 'the store was encrypted elsewhere with a passphrase, but lists recipients, who cannot open it; nothing was ' +
          'changed. Run `a2a-totp encrypt --passphrase`, or `a2a-totp encrypt --encrypt-to` with everyone who may open it',
  )
}

export function keyMissing(message: string): TOTPError {
  return new TOTPError('ERR_STORE_KEY_MISSING', message)
}
