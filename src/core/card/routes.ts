import type { ProtocolVersion } from './shapes.js'
import type { Binding, UnderstoodInterface } from './interfaces.js'

/** Where requests for one interface of a card go. */
export interface CardRoute {
  readonly binding: Binding
  readonly protocolVersion: ProtocolVersion
  /** The origin that serves the interface, with the path `/`. */
  readonly upstream: URL
  /** The path of the interface; of gRPC, that of its service: `/lf.a2a.v1.A2AService`. */
  readonly path: string
}

const grpcPaths: Readonly<Record<ProtocolVersion, string>> = {
  '1.0': '/lf.a2a.v1.A2AService',
  '0.3': '/a2a.v1.A2AService',
}

export function routeTo({ binding, protocolVersion, url }: UnderstoodInterface): CardRoute {
  const path = binding === 'grpc' ? grpcPaths[protocolVersion] : url.pathname
  return { binding, protocolVersion, upstream: new URL('/', url), path }
}

/** The first route that has the path of another one at another origin: a request could be for either. */
export function conflicting(routes: readonly CardRoute[], added: CardRoute): CardRoute | undefined {
  return routes.find(
    (one) =>
      isGrpc(one) === isGrpc(added) &&
      withoutSlash(one.path) === withoutSlash(added.path) &&
      one.upstream.href !== added.upstream.href,
  )
}

/**
 * The route for a request: the one with the longest path that the request's path equals or, except for JSON-RPC, is
 * below. Undefined if there is none; then the request is for the agent as it was named.
 *
 * @param path of the request, without its query
 */
export function routeFor(
  routes: readonly CardRoute[],
  { isGrpc: grpc, path }: { readonly isGrpc: boolean; readonly path: string },
): CardRoute | undefined {
  const matching = routes.filter((one) => {
    const base = withoutSlash(one.path)
    const isBelow = one.binding !== 'jsonrpc' && path.startsWith(`${base}/`)
    return isGrpc(one) === grpc && (withoutSlash(path) === base || isBelow)
  })
  const longest = Math.max(...matching.map((one) => withoutSlash(one.path).length))
  return matching.find((one) => withoutSlash(one.path).length === longest)
}

function isGrpc({ binding }: CardRoute): boolean {
  return binding === 'grpc'
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
