import { asText } from '../core/json.js'
import { otherKindNamed } from '../core/other-kinds.js'
import { profileRules } from '../core/profile.js'
import { invalidImport } from './fields.js'

/** Returns the error for an account of a kind other than TOTP. */
export function otherKind(kind: unknown): Error {
  const name = otherKindNamed(asText(kind))
  if (name === 'MD5')
    return invalidImport(`this account uses MD5; the algorithm must be ${profileRules.algorithm.expected}`)
  return invalidImport(
    name === undefined
      ? 'this account is of a kind that import does not know; only TOTP is supported'
      : `this account is for ${name}; only TOTP is supported`,
  )
}
