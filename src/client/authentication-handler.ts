import type { TOTPClientAuthScheme } from './totp-client-auth-scheme.js'

/** The shape of @a2a-js/sdk's `AuthenticationHandler`, 0.3 and 1.x. */
export interface TotpAuthenticationHandler {
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
 * A refused request is tried again only when the code's time step ended on the way; with the same code it would
 * be refused again.
 */
export function totpAuthenticationHandler(scheme: TOTPClientAuthScheme): TotpAuthenticationHandler {
  const headers = () => scheme.authorize({ binding: 'http' })
  return {
    headers,
    shouldRetryWithHeaders: async (request, response) => {
      if (response.status !== 401) return undefined
      const code = new Headers(request.headers).get(scheme.profile.header)
      return code !== null && scheme.isOver(code) ? headers() : undefined
    },
  }
}
