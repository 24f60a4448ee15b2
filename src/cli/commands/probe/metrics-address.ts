import { isIP } from 'node:net'
import { TOTPError } from '../../../core/errors.js'
import type { MetricsAddress } from '../../../service/metrics.js'

/**
 * Reads the address of `--metrics`: a port of the loopback address, or `HOST:PORT` with an IP address or `localhost`.
 *
 * @throws {TOTPError} `ERR_USAGE` for anything else, such as a host name, which may lead anywhere, or no host before a `:`.
 */
export function parseMetricsAddress(text: string): MetricsAddress {
  const [, bracketed, name, digits = ''] =
    /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?([0-9]{1,5})$/.exec(text) ?? []
  const host = bracketed ?? (name === 'localhost' ? '127.0.0.1' : (name ?? '127.0.0.1'))
  const port = Number(digits)
  if (digits !== '' && port <= 65_535 && isIP(host) === (bracketed === undefined ? 4 : 6))
    return { host, port }
  throw new TOTPError(
    'ERR_USAGE',
    '--metrics must be a port, or an address with one: 9464, 127.0.0.1:9464 or [::1]:9464; port 0 picks a free one',
  )
}

/** Whether only programs of this machine can reach it. */
export const isLocal = ({ host }: MetricsAddress): boolean => host.startsWith('127.') || host === '::1'
