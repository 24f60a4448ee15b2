import { Destinations } from '../scheme/destinations.js'
import { openRequest, requireNoPassword, senderOf, type Fetch, type TOTPFetchOptions } from './fetch.js'

/**
 * A `fetch` without credentials of its own, for integrations that add them elsewhere, such as an `AuthenticationHandler`
 * or a `CallInterceptor` of @a2a-js/sdk: it sends only to `origins` (by default the origin of the first request), over
 * TLS or to loopback, past proxies for plain http. It returns a redirect instead of following it.
 *
 * The returned function rejects as `fetch` does, and with a {@link TOTPError}: `ERR_INSECURE_TRANSPORT`,
 * `ERR_HOST_FORBIDDEN` or `ERR_USAGE`, as that of `totpFetch` does.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin.
 */
export function pinnedFetch(options: TOTPFetchOptions = {}): Fetch {
  const destinations = new Destinations(options)
  const send = senderOf(options.fetch)
  return async (input, init) => {
    const { url, init: given } = openRequest(input, init)
    requireNoPassword(url)
    destinations.settle(url)
    return send(url.href, { ...given, redirect: given.redirect === 'error' ? 'error' : 'manual' })
  }
}
