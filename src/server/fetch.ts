/** The guard for servers whose handlers take a `Request` and give a `Response`: Hono and the like. */
import { isCardRequest } from './adapters/http.js'
import { httpAnswer, type Refusal } from './scheme/refusal.js'
import type { AuthRequest } from './scheme/request.js'
import type { TOTPServerAuthScheme } from './scheme/totp-server-auth-scheme.js'
import { decide } from './adapters/outcomes.js'

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
    const { pathname, search } = new URL(request.url)
    if (isCardRequest(request.method, pathname)) return next()
    const { refusal } = await decide(scheme, request, () => authRequestOf(request, pathname + search, source))
    return refusal ? responseOf(refusal, request.method) : next()
  }
}

function authRequestOf({ method, headers }: Request, target: string, source?: string): AuthRequest {
  return {
    binding: 'http',
    method,
    target,
    // A field that came twice is one value with a comma here, which is neither a token nor a code.
    header: (name) => {
      const value = headers.get(name)
      return value === null ? [] : [value]
    },
    source,
  }
}

function responseOf(refusal: Refusal, method: string): Response {
  const { status, headers, body } = httpAnswer(refusal)
  const response = new Response(method === 'HEAD' ? null : body, { status })
  for (const [name] of headers) response.headers.delete(name)
  for (const [name, value] of headers) response.headers.append(name, value)
  return response
}
