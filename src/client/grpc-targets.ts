import { TOTPError } from '../core/errors.js'

/**
 * The `host:port` of a gRPC target (gRPC naming: `dns:`, `ipv4:` or `ipv6:` with one address, or none of them).
 * Undefined for anything else: a name server of the target's own choice, or a host that URLs and gRPC would read
 * differently.
 */
export function grpcTarget(text: string): string | undefined {
  return /^(?:(?:dns|ipv4|ipv6):(?:\/\/\/)?)?((?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?)$/i.exec(text)?.[1]
}

/** Where `host:port` leads, as a URL. Without a port gRPC takes 443, with TLS or without. */
export function targetUrl(target: string, secure: boolean): URL {
  const hasPort = /:\d+$/.test(target)
  const text = secure ? `https://${target}` : `http://${hasPort ? target : `${target}:443`}`
  if (URL.canParse(text)) return new URL(text)
  throw forbidden()
}

/**
 * Where a call goes: the host that gRPC asks credentials for, at the port that its channel dials. (The hosts differ
 * behind an HTTP proxy, which must not pass for the agent.)
 *
 * @param peer what the call says it will dial
 * @throws {TOTPError} `ERR_HOST_FORBIDDEN` when that cannot be told for certain.
 */
export function destinationOf(
  serviceUrl: string,
  peer: string,
  secure: boolean,
): { dialled: URL; asked: URL } {
  const dialled = grpcTarget(peer)
  if (dialled === undefined) throw forbidden()
  const port = /:\d+$/.exec(dialled)?.[0] ?? ''
  return { dialled: targetUrl(dialled, secure), asked: hostUrl(serviceUrl, port, secure) }
}

/** The host that gRPC asks credentials for, from its `https://host/pkg.Service`. IPv6 comes without brackets. */
export function hostUrl(serviceUrl: string, port = '', secure = true): URL {
  const host = /^https:\/\/([^/]+)\//.exec(serviceUrl)?.[1] ?? ''
  const target = grpcTarget(host.includes(':') ? `[${host}]${port}` : host + port)
  if (target === undefined) throw forbidden()
  return targetUrl(target, secure)
}

function forbidden(): TOTPError {
  return new TOTPError(
    'ERR_HOST_FORBIDDEN',
    'token and code go to a gRPC target of the form host:port only, found by the name service of this machine',
  )
}
