/** The guard for servers whose handlers take a `Request` and return a `Response`. */
import { authRequestOf, decideFetch, respond, responseOf } from './adapters/fetch.js'
import { endingWithCaller } from './adapters/open-responses.js'
import { isCardRequest } from './adapters/http.js'
import { alsoUnder } from './adapters/outcomes.js'
import type { Caller } from './scheme/outcome.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * @param next returns the response to a request with both factors. It is called with the request to read, whose content is
 *   compared if it has a proof, and with the caller, which the public card has none of
 * @param source the caller's address, so that unknown tokens are limited per source; without it all share one limit
 */
export type FetchGuard = (
  request: Request,
  next: (request: Request, caller?: Caller) => Response | Promise<Response>,
  source?: string,
) => Promise<Response>

/**
 * Returns a guard that calls `next` only for requests with both factors. It touches no body, except of requests with a
 * proof, whose content is compared with it: before `next` is called if it is short, else while `next` reads it, which then
 * fails at the end.
 *
 * The card is public: GET and HEAD of exactly `/.well-known/agent-card.json` pass. OPTIONS does not, so handle CORS first
 * if browsers call. Handlers behind it use `callerOf(request)`.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): FetchGuard {
  return async (request, next, source) => {
    const url = new URL(request.url)
    if (isCardRequest(request.method, url.pathname, () => request.headers.get('upgrade')))
      return next(request)
    const { outcome, checked } = await decideFetch(scheme, request, request, (body) =>
      authRequestOf(request, url, () => source, body),
    )
    const { caller, refusal } = outcome
    if (!caller) return responseOf(refusal, request.method)
    if (!checked) return endingWithCaller(caller, await next(request, caller))
    alsoUnder(request, checked.request)
    return endingWithCaller(caller, await respond(checked, () => next(checked.request, caller)))
  }
}
