import { readInterfaces } from '../../core/card/interfaces.js'
import { TOTPError } from '../../core/errors.js'
import { asObject } from '../../core/json.js'
import { Destinations, type DestinationOptions } from '../scheme/destinations.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

/** What an interceptor of @a2a-js/sdk is given before a call, 0.3 and 1.x, as far as it matters here. */
export interface BeforeCall {
  /** The card that the client was made from. */
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

/**
 * For `clientConfig.interceptors` of @a2a-js/sdk: sends token and a fresh code with every call, streams and
 * resubscriptions included, over JSON-RPC, HTTP+JSON and gRPC.
 *
 * Prefer `totpTransports`: this seam sees no request, only that there will be one. It cannot follow a redirect (which
 * carries the code to whatever host it leads to), has no part in fetching the card, and can send nothing but a code:
 * proofs that are bound to a request will never come this way. All it can do about hosts is to refuse a card that
 * names interfaces elsewhere. Other spellings of the two headers in the call's service parameters are dropped.
 *
 * A call rejects with {@link TOTPError}: `ERR_HOST_FORBIDDEN` when any interface of the card is not in `origins`
 * (without them: not on the host that the first card names first), `ERR_INSECURE_TRANSPORT` for plain http beyond
 * loopback; and with what the scheme throws.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is none.
 */
export function totpInterceptor(
  scheme: TOTPClientAuthScheme,
  options: DestinationOptions = {},
): TOTPCallInterceptor {
  const destinations = new Destinations(options, options.origins ? 'origin' : 'host')
  const own = new Set(['authorization', scheme.profile.header.toLowerCase()])
  return {
    before: async (call) => {
      for (const url of urlsOf(call.agentCard)) destinations.settle(url)
      const { serviceParameters = {}, signal } = call.options ?? {}
      const others = Object.entries(serviceParameters).filter(([name]) => !own.has(name.toLowerCase()))
      const kept = Object.fromEntries(others)
      const fresh = await scheme.authorize({ headers: kept }, { signal })
      call.options = { ...call.options, serviceParameters: { ...kept, ...fresh } }
    },
    after: () => Promise.resolve(),
  }
}

/** The URLs of every interface that has an address, those that this library could not call too. */
function urlsOf(card: object): URL[] {
  return readInterfaces(asObject(card)).flatMap((one) => {
    if (one.url !== undefined) return [one.url]
    if (one.understood || one.written.address.trim() === '') return []
    throw new TOTPError('ERR_CARD_INVALID', `the card names an interface that cannot be called: ${one.why}`)
  })
}
