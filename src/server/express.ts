/** The guard for Express 4 and 5. */
import type { RequestHandler } from 'express'
import { answerRefusal, authRequestOf, isCardRequest } from './adapters/http.js'
import { afterwards } from './scheme/pending.js'
import type { TOTPServerAuthScheme } from './scheme/totp-server-auth-scheme.js'
import { decide } from './adapters/outcomes.js'

export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * A middleware that lets only callers with both factors pass. It goes in front of the A2A handlers and of any
 * body parser: a refused request costs no memory.
 *
 * GET and HEAD of exactly `/.well-known/agent-card.json` below where it is mounted pass: the card is public. OPTIONS
 * is no exception, so where browsers call, a CORS middleware goes in front. Handlers behind ask `callerOf(req)`.
 * A request that passes the same scheme's guard twice is decided about once.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): RequestHandler {
  return (req, res, next) => {
    if (isCardRequest(req.method, req.url)) {
      next()
      return
    }
    // Its `ip` is the socket's address, unless the application trusts a proxy.
    const decided = decide(scheme, req, () => authRequestOf(req, req.originalUrl, () => req.ip))
    void afterwards(decided, ({ refusal }) => {
      if (refusal) answerRefusal(req, res, refusal)
      else next()
    })
  }
}
