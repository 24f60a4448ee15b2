import { asText } from '../core/json.js'
import { profileRules } from '../core/profile.js'
import { invalidImport } from './fields.js'

/** Kinds of codes that are not TOTP, as tools write them: in lower case and without separators. */
const kindNames = new Map([
  ['hotp', 'HOTP'],
  ['steam', 'Steam'],
  ['motp', 'mOTP'],
  ['mobileotp', 'mOTP'],
  ['yandex', 'Yandex'],
  ['yaotp', 'Yandex'],
  ['md5', 'MD5'],
])

/** Returns the name of a kind of codes other than TOTP, if a text says one. */
export const otherKindNamed = (text: unknown): string | undefined =>
  kindNames.get(asText(text).trim().toLowerCase().replace(/[-_ ]/g, ''))

/** Returns the error for an account of a kind other than TOTP. */
export function otherKind(kind: unknown): Error {
  const name = otherKindNamed(kind)
  if (name === 'MD5')
    return invalidImport(`this account uses MD5; the algorithm must be ${profileRules.algorithm.expected}`)
  return invalidImport(
    name === undefined
      ? 'this account is of a kind that import does not know; only TOTP is supported'
      : `this account is for ${name}; only TOTP is supported`,
  )
}
