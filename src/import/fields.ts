import { TOTPError } from '../core/errors.js'

/** The untrusted values of a line or an object. */
export type { JsonObject as Fields } from '../core/json.js'

export function invalidImport(message: string): TOTPError {
  return new TOTPError('ERR_IMPORT_INVALID', message)
}
