import { TOTPError } from '../../../core/errors.js'
import { parseListenAddress, type ListenAddress } from '../../../service/address.js'

/**
 * Reads the address of `--metrics`, as {@link parseListenAddress} does.
 *
 * @throws {TOTPError} `ERR_USAGE`
 */
export function parseMetricsAddress(text: string): ListenAddress {
  const address = parseListenAddress(text)
  if (address) return address
  throw new TOTPError(
    'ERR_USAGE',
    '--metrics must be a port, or an address with one: 9464, 127.0.0.1:9464 or [::1]:9464; port 0 picks a free one',
  )
}
