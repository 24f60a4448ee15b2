import type { Upstream } from './exchange.js'
import { Http2Upstream } from './http2-upstream.js'
import { HttpUpstream } from './http-upstream.js'
import type { UpstreamAddress, UpstreamOptions } from './upstream-options.js'

export type { UpstreamAddress, UpstreamOptions } from './upstream-options.js'

/**
 * The server behind, by HTTP/1.1. Connections are kept. Certificates are always checked, and no proxy of the environment is
 * used. Redirects are answers as any other; informational ones are dropped.
 *
 * GET and HEAD without content are sent a second time if a kept connection turns out to be closed; nothing else is.
 */
export function httpUpstream(address: UpstreamAddress, options: UpstreamOptions = {}): Upstream {
  return new HttpUpstream(address, options)
}

/**
 * The server behind, by HTTP/2, for gRPC: as {@link httpUpstream}. There is a connection more whenever the server takes no
 * more streams on one.
 *
 * A request is sent again if the server says that it has not looked at it (REFUSED_STREAM, RFC 9113 §8.7) and none of its
 * content was read.
 */
export function grpcUpstream(address: UpstreamAddress, options: UpstreamOptions = {}): Upstream {
  return new Http2Upstream(address, options)
}
