import { readGrpcTarget } from '../../core/card/targets.js'
import { TOTPError } from '../../core/errors.js'
import { portOf } from '../../core/url.js'

/** The host dialled and the host asked for. They differ behind an HTTP proxy, which must not be taken for the agent. */
export interface Way {
  /** The host and port that the channel dials. */
  readonly dialled: URL
  /** The host that gRPC requests credentials for, with the same port. */
  readonly asked: URL
}

/**
 * The destination of a call.
 *
 * @param serviceUrl what gRPC requests credentials for: `https://host/pkg.Service`
 * @param peer what the call reports that it will dial
 * @param secure whether the channel encrypts
 * @throws {TOTPError} `ERR_HOST_FORBIDDEN` when the destination is ambiguous
 */
export function wayOf(serviceUrl: string, peer: string, secure: boolean): Way {
  const dialled = urlOf(peer, secure)
  return { dialled, asked: hostUrl(serviceUrl, portOf(dialled), secure) }
}

/** The host in `https://host/pkg.Service`, where gRPC writes IPv6 addresses without brackets. */
export function hostUrl(serviceUrl: string, port = 443, secure = true): URL {
  const host = /^https:\/\/([^/]+)\//.exec(serviceUrl)?.[1] ?? ''
  return urlOf(`${host.includes(':') ? `[${host}]` : host}:${port}`, secure)
}

/** The same host and port, with or without TLS. */
export function withTls(url: URL, secure: boolean): URL {
  return new URL(`${secure ? 'https' : 'http'}://${url.hostname}:${portOf(url)}`)
}

function urlOf(target: string, secure: boolean): URL {
  const address = readGrpcTarget(target)
  if (address.understood) return withTls(address.url, secure)
  throw new TOTPError(
    'ERR_HOST_FORBIDDEN',
    'token and code are sent only to a gRPC target such as host:port, resolved by this machine',
  )
}
