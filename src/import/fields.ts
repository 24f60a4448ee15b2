import { TOTPError } from '../core/errors.js'

/** The untrusted values of a line or an object. */
export type Fields = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function invalidImport(message: string): TOTPError {
  return new TOTPError('ERR_IMPORT_INVALID', message)
}
