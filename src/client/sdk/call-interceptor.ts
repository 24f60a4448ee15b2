import { createRequire } from 'node:module'
import { readInterfaces } from '../../core/card/interfaces.js'
import { TOTPError } from '../../core/errors.js'
import { asObject } from '../../core/json.js'
import { isLoopback } from '../../core/url.js'
import { grpcProxies, requireLocalName, requireNoGrpcProxy, requireNoHttpProxy } from '../scheme/detours.js'
import { requireCodeSuffices } from '../scheme/request-signer.js'
import { Destinations, type DestinationOptions } from '../scheme/destinations.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

/** The part used here of what @a2a-js/sdk passes to an interceptor before a call, 0.3 and 1.x. */
export interface BeforeCall {
  /** The card that the client was created from. */
  readonly agentCard: object
  options?: {
    readonly serviceParameters?: Readonly<Record<string, string>>
    readonly signal?: AbortSignal
  }
}

/** The shape of @a2a-js/sdk's `CallInterceptor`, 0.3 and 1.x. */
export interface TOTPCallInterceptor {
  before(call: BeforeCall): Promise<void>
  after(): Promise<void>
}

export interface TOTPInterceptorOptions extends DestinationOptions {
  /**
   * Says that the client's gRPC transport was given channel credentials with TLS. An interceptor cannot see them, and
   * without them @a2a-js/sdk sends in plaintext.
   */
  readonly grpcTls?: boolean
}

/**
 * For `clientConfig.interceptors` of @a2a-js/sdk: sends the token and a fresh code with every call, including streams
 * and resubscriptions, over JSON-RPC, HTTP+JSON and gRPC.
 *
 * Prefer `totpTransports`: an interceptor does not see the request itself. It cannot stop a redirect from carrying the
 * code to another host (unless the SDK sends with a `pinnedFetch`), is not involved in fetching the card, and can send
 * only a code, never a proof bound to the request. To protect hosts, it can only refuse a card that names interfaces
 * elsewhere. It replaces both headers in the call's service parameters, in any capitalisation.
 *
 * A call rejects with a {@link TOTPError}: `ERR_HOST_FORBIDDEN` if any interface of the card is outside `origins` (by
 * default, outside the host that the first card names first), `ERR_INSECURE_TRANSPORT` for plain http beyond loopback or through
 * a proxy, for `localhost` where the resolver of this machine leads elsewhere, and, if @grpc/grpc-js is loaded, for a gRPC
 * interface beyond loopback without `grpcTls`; `ERR_CARD_INVALID` for an interface at an address that cannot be called; and with what the scheme throws.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin; `ERR_CANNOT_SIGN` if the scheme signs every request.
 */
export function totpInterceptor(
  scheme: TOTPClientAuthScheme,
  options: TOTPInterceptorOptions = {},
): TOTPCallInterceptor {
  requireCodeSuffices(scheme, 'totpInterceptor')
  const destinations = new Destinations(options, options.origins ? 'origin' : 'host')
  const own = new Set(['authorization', scheme.profile.header.toLowerCase()])
  return {
    before: async (call) => {
      for (const place of placesOf(call.agentCard)) {
        destinations.settle(place.url)
        await requireDirect(place, options)
      }
      const { serviceParameters = {}, signal } = call.options ?? {}
      const others = Object.entries(serviceParameters).filter(([name]) => !own.has(name.toLowerCase()))
      const kept = Object.fromEntries(others)
      const fresh = await scheme.authorize({ headers: kept }, { signal })
      call.options = { ...call.options, serviceParameters: { ...kept, ...fresh } }
    },
    after: () => Promise.resolve(),
  }
}

/** Where an interface leads. */
interface Place {
  readonly url: URL
  readonly grpc: boolean
}

/** The places of every interface with an address, including interfaces that this library cannot call. */
function placesOf(card: object): Place[] {
  return readInterfaces(asObject(card)).flatMap((one) => {
    if (one.url !== undefined) return [{ url: one.url, grpc: one.binding === 'grpc' }]
    if (one.understood || one.written.address.trim() === '') return []
    throw new TOTPError('ERR_CARD_INVALID', `the card names an interface that cannot be called: ${one.why}`)
  })
}

/** What the SDK's own transports do with a URL is out of sight; what they would do by default has to be safe. */
async function requireDirect({ url, grpc }: Place, options: TOTPInterceptorOptions): Promise<void> {
  if (!grpc) requireNoHttpProxy(url)
  else if (isGrpcLoaded()) {
    if (!isLoopback(url) && options.grpcTls !== true && options.allowInsecureHttp !== true) {
      throw new TOTPError(
        'ERR_INSECURE_TRANSPORT',
        'the card names a gRPC interface, and the gRPC transport of the SDK is plaintext unless it is given channel credentials: use totpTransports, or pass credentials with TLS and set grpcTls',
      )
    }
    requireNoGrpcProxy(grpcProxies(url), url)
  }
  await requireLocalName(url)
}

/** Whether this process can have a gRPC transport at all. A bundle hides it. */
function isGrpcLoaded(): boolean {
  const { cache } = createRequire(import.meta.url)
  return Object.keys(cache).some((path) => /[\\/]@grpc[\\/]grpc-js[\\/]/.test(path))
}
