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
 * For `createAuthenticatingFetchWithRetry` of @a2a-js/sdk. Prefer `totpFetch`: this seam gives headers and sees no
 * request, so it cannot tell where they go, over what, or after which redirect; and headers that the caller
 * sets win over it.
 *
 * A refused request is tried again only with another code: see {@link TOTPClientAuthScheme.retryOf}.
 */
export function totpAuthenticationHandler(scheme: TOTPClientAuthScheme): TOTPAuthenticationHandler {
  return {
    headers: () => scheme.authorize({ binding: 'http' }),
    shouldRetryWithHeaders: async (request, response) => {
      const code = new Headers(request.headers).get(scheme.profile.header)
      const retry = code === null ? undefined : scheme.retryOf(code, response)
      return retry && scheme.authorize({ binding: 'http' }, retry)
    },
  }
}
