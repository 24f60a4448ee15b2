import { TOTPError } from '../core/errors.js'
import type { WordRule } from '../core/words.js'

/** The untrusted values of a line or an object. */
export type { JsonObject as Fields } from '../core/json.js'

export function invalidImport(message: string): TOTPError {
  return new TOTPError('ERR_IMPORT_INVALID', message)
}

/**
 * Returns a value that a rule allows.
 *
 * @param path where the value is
 * @throws {TOTPError} `ERR_IMPORT_INVALID` for any other value
 */
export function wordIn<W extends string>(path: string, { allows, expected }: WordRule<W>, value: unknown): W {
  if (allows(value)) return value
  throw invalidImport(`${path} must be ${expected}`)
}
