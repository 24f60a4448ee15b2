import { TOTPError } from '../../core/errors.js'

/**
 * The beginning of the path that a proxy takes away.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` unless it begins with a slash, and does not end with one
 */
export function parsePathPrefix(given: string | undefined): string {
  if (given === undefined || given === '') return ''
  if (typeof given === 'string' && /^(?:\/[\x21\x22\x24-\x2e\x30-\x3e\x40-\x7e]+)+$/.test(given)) return given
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    'pathPrefix must be the beginning of a path, such as /agents/billing, without a slash at its end',
  )
}
