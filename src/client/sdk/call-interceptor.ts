import { readInterfaces } from '../../core/card/interfaces.js'
import { TOTPError } from '../../core/errors.js'
import { asObject } from '../../core/json.js'
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

/**
 * For `clientConfig.interceptors` of @a2a-js/sdk: sends the token and a fresh code with every call, including streams
 * and resubscriptions, over JSON-RPC, HTTP+JSON and gRPC.
 *
 * Prefer `totpTransports`: an interceptor does not see the request itself. It cannot stop a redirect from carrying the
 * code to another host, is not involved in fetching the card, and can send only a code, never a proof bound to the
 * request. To protect hosts, it can only refuse a card that names interfaces elsewhere. It replaces both headers in the
 * call's service parameters, in any capitalisation.
 *
 * A call rejects with a {@link TOTPError}: `ERR_HOST_FORBIDDEN` if any interface of the card is outside `origins` (by
 * default, outside the host that the first card names first), `ERR_INSECURE_TRANSPORT` for plain http beyond loopback,
 * `ERR_CARD_INVALID` for an interface at an address that cannot be called; and with what the scheme throws.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin.
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

/** The URLs of every interface with an address, including interfaces that this library cannot call. */
function urlsOf(card: object): URL[] {
  return readInterfaces(asObject(card)).flatMap((one) => {
    if (one.url !== undefined) return [one.url]
    if (one.understood || one.written.address.trim() === '') return []
    throw new TOTPError('ERR_CARD_INVALID', `the card names an interface that cannot be called: ${one.why}`)
  })
}
