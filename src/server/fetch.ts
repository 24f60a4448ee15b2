/** The guard for servers whose handlers take a `Request` and return a `Response`. */
import { authRequestOf, responseOf } from './adapters/fetch.js'
import { isCardRequest } from './adapters/http.js'
import { decide } from './adapters/outcomes.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * @param next gives the answer to a request that has both factors
 * @param source where the request came from, to slow strangers down one by one; without it they share one limit
 */
export type FetchGuard = (
  request: Request,
  next: () => Response | Promise<Response>,
  source?: string,
) => Promise<Response>

/**
 * A guard that lets only requests with both factors through to `next`, and does not touch the body of any other.
 *
 * GET and HEAD of exactly `/.well-known/agent-card.json` pass: the card is public. OPTIONS is no exception, so where
 * browsers call, CORS comes first. Handlers behind ask `callerOf(request)`.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): FetchGuard {
  return async (request, next, source) => {
    const url = new URL(request.url)
    if (isCardRequest(request.method, url.pathname)) return next()
    const { refusal } = await decide(scheme, request, () => authRequestOf(request, url, source))
    return refusal ? responseOf(refusal, request.method) : next()
  }
}
