import { requireCodeSuffices } from '../scheme/request-signer.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

/** The shape of @a2a-js/sdk's `AuthenticationHandler`, 0.3 and 1.x. */
export interface TOTPAuthenticationHandler {
  headers(): Promise<Record<string, string>>
  shouldRetryWithHeaders(
    request: RequestInit,
    response: Response,
  ): Promise<Record<string, string> | undefined>
}

/**
 * For `createAuthenticatingFetchWithRetry` of @a2a-js/sdk. Prefer `totpFetch`: an authentication handler returns headers
 * without seeing the request, so it cannot check the destination, the transport, proxies or redirects, which the global
 * `fetch` follows with the code to any host; and headers that the caller sets take precedence. Give the SDK a
 * `pinnedFetch` to send with: that one checks them.
 *
 * A refused request is retried only with another code: see {@link TOTPClientAuthScheme.retryOf}. Requests are never signed.
 *
 * @throws {TOTPError} `ERR_CANNOT_SIGN` if the scheme signs every request
 */
export function totpAuthenticationHandler(scheme: TOTPClientAuthScheme): TOTPAuthenticationHandler {
  requireCodeSuffices(scheme, 'an AuthenticationHandler')
  return {
    headers: () => scheme.authorize({ binding: 'http' }),
    shouldRetryWithHeaders: async (request, response) => {
      const code = new Headers(request.headers).get(scheme.profile.header)
      const retry = code === null ? undefined : scheme.retryOf(code, response)
      return retry && scheme.authorize({ binding: 'http' }, retry)
    },
  }
}
