/** The guard for Express 4 and 5. */
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { answerRefusal, authRequestOf, isCardRequest } from './adapters/http.js'
import { decide } from './adapters/outcomes.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

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
  const guard = async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    if (isCardRequest(req.method, req.url)) {
      next()
      return
    }
    // Its `ip` is the socket's address, unless the application trusts a proxy.
    const { refusal } = await decide(scheme, req, () => authRequestOf(req, req.originalUrl, () => req.ip))
    if (refusal) answerRefusal(req, res, refusal)
    else next()
  }
  // Express 4 does not look at the promise of a middleware.
  return (req, res, next) => void guard(req, res, next).catch(next)
}
