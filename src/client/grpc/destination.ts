import { readGrpcTarget } from '../../core/card/targets.js'
import { TOTPError } from '../../core/errors.js'
import { portOf } from '../../core/url.js'

/** The two ends of the way to an agent. They differ behind an HTTP proxy, which must not pass for the agent. */
export interface Way {
  /** What the channel dials. */
  readonly dialled: URL
  /** The host that gRPC asks credentials for, at that port. */
  readonly asked: URL
}

/**
 * Where a call goes.
 *
 * @param serviceUrl what gRPC asks credentials for: `https://host/pkg.Service`
 * @param peer what the call says it will dial
 * @param secure whether the channel encrypts
 * @throws {TOTPError} `ERR_HOST_FORBIDDEN` when that is not certain
 */
export function wayOf(serviceUrl: string, peer: string, secure: boolean): Way {
  const dialled = urlOf(peer, secure)
  return { dialled, asked: hostUrl(serviceUrl, portOf(dialled), secure) }
}

/** The host in `https://host/pkg.Service`, which has IPv6 addresses without brackets. */
export function hostUrl(serviceUrl: string, port = 443, secure = true): URL {
  const host = /^https:\/\/([^/]+)\//.exec(serviceUrl)?.[1] ?? ''
  return urlOf(`${host.includes(':') ? `[${host}]` : host}:${port}`, secure)
}

/** The same place, spoken to with TLS or without. */
export function withTls(url: URL, secure: boolean): URL {
  return new URL(`${secure ? 'https' : 'http'}://${url.hostname}:${portOf(url)}`)
}

function urlOf(target: string, secure: boolean): URL {
  const address = readGrpcTarget(target)
  if (address.understood) return withTls(address.url, secure)
  throw new TOTPError(
    'ERR_HOST_FORBIDDEN',
    'token and code are sent only to a gRPC target of the form host:port, resolved by this machine',
  )
}
