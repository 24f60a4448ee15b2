/** The guard for servers whose handlers take a `Request` and return a `Response`. */
import { authRequestOf, responseOf } from './adapters/fetch.js'
import { endingWithCaller } from './adapters/open-responses.js'
import { isCardRequest } from './adapters/http.js'
import { decide } from './adapters/outcomes.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * @param next returns the response to a request with both factors
 * @param source the caller's address, so that unknown tokens are limited per source; without it all share one limit
 */
export type FetchGuard = (
  request: Request,
  next: () => Response | Promise<Response>,
  source?: string,
) => Promise<Response>

/**
 * Returns a guard that calls `next` only for requests with both factors, and never touches a body.
 *
 * The card is public: GET and HEAD of exactly `/.well-known/agent-card.json` pass. OPTIONS does not, so handle CORS first
 * if browsers call. Handlers behind it use `callerOf(request)`.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): FetchGuard {
  return async (request, next, source) => {
    const url = new URL(request.url)
    if (isCardRequest(request.method, url.pathname, () => request.headers.get('upgrade'))) return next()
    const { caller, refusal } = await decide(scheme, request, () => authRequestOf(request, url, () => source))
    return caller ? endingWithCaller(caller, await next()) : responseOf(refusal, request.method)
  }
}
