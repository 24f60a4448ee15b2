import { decodeUtf8 } from '../core/encoding.js'
import { TOTPError } from '../core/errors.js'
import {
  damaged,
  foreignKinds,
  hasOpenable,
  passphraseProblem,
  stanzasOf,
  type StanzaHead,
} from './age-kinds.js'
import {
  isEncrypted,
  keyMissing,
  plaintext,
  type ForRecipients,
  type Protection,
  type StoreKeys,
} from './protection.js'

/** What was inside a store's file, and how the next one is to be protected. */
export interface Unsealed {
  readonly text: string
  /**
   * How the file is protected, given the recipients that are listed inside. age does not record whom a file is
   * encrypted for, so this compares the list with what the header shows.
   */
  readonly protectionWith: (listed: readonly string[]) => Promise<Protection>
}

/**
 * Decrypts a store's bytes if they are encrypted.
 *
 * @throws {TOTPError} `ERR_STORE_KEY_MISSING`; `ERR_STORE_KEY_WRONG`; `ERR_STORE_UNREADABLE` when no key of a kind that
 *   this tool takes can open it; `ERR_STORE_INVALID` when any byte was changed
 *   since the store was encrypted, or when it is not UTF-8 text
 */
export async function unseal(bytes: Uint8Array, keys: StoreKeys | undefined): Promise<Unsealed> {
  if (!isEncrypted(bytes)) return { text: decode(bytes), protectionWith: () => Promise.resolve(plaintext) }
  if (!keys) throw keyMissing('the store is encrypted, and no key was given for it')
  const age = await import('./age.js')
  const file = age.binaryOf(bytes)
  const stanzas = stanzasOf(age.headerOf(file))
  if (stanzas.some(({ type }) => type === 'scrypt')) {
    const problem = passphraseProblem(stanzas)
    if (problem !== undefined) throw new TOTPError('ERR_STORE_UNREADABLE', problem)
    const passphrase = await keys.passphrase()
    const text = decode(await age.decryptWithPassphrase(file, passphrase))
    const protectionWith = (listed: readonly string[]): Promise<Protection> => {
      const encryptedElsewhere = listed.length > 0 ? true : undefined
      return Promise.resolve({ kind: 'passphrase', passphrase, encryptedElsewhere })
    }
    return { text, protectionWith }
  }
  if (!hasOpenable(stanzas)) throw notForUs(stanzas)
  const identities = await keys.identities()
  const { content, recipient, vouchesFor } = await age.decryptWithIdentities(
    file,
    identities,
    foreignKinds(stanzas),
  )
  const protectionWith = async (listed: readonly string[]): Promise<ForRecipients> => {
    // The one recipient of a file that we opened can only be us.
    const alone = stanzas.length === 1 && listed.every((one) => one === recipient)
    if (alone) return { kind: 'recipients', recipients: [recipient] }
    const agrees = listed.length === stanzas.length && (await vouchesFor(listed))
    return { kind: 'recipients', recipients: listed, openedBy: agrees ? undefined : recipient }
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

/** The error for a store that no key of ours opens: asking for one would be pointless. */
function notForUs(stanzas: readonly StanzaHead[]): TOTPError {
  const kinds = foreignKinds(stanzas)
  if (kinds.length === 0) return damaged()
  return new TOTPError(
    'ERR_STORE_UNREADABLE',
    `the store is encrypted only for ${kinds.join(' and ')}, which cannot be used here; encrypt it again with the age ` +
      'program, for a recipient that age-keygen printed: `age -d -i KEY STORE | age -r age1…`',
  )
}

function decode(bytes: Uint8Array): string {
  return decodeUtf8(bytes, 'the store', (message) => new TOTPError('ERR_STORE_INVALID', message))
}
