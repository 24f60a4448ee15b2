/** The guard for Express 4 and 5, and a handler for the agent card. */
import type { RequestHandler } from 'express'
import { decideNode } from './adapters/checked-body.js'
import { answerRefusal, isCardRequest } from './adapters/http.js'
import { refuseLate } from './adapters/late-refusal.js'
import { cutWithCaller } from './adapters/open-answers.js'
import type { Refusal } from './scheme/refusal.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export { totpCardHandler, type CardHandlerOptions } from './adapters/card-handler.js'
export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * A middleware that lets only callers with both factors pass. Mount it in front of the A2A handlers and of any body
 * parser, so that a refused request costs no memory.
 *
 * The card is public: GET and HEAD of exactly `/.well-known/agent-card.json` below its mount pass. OPTIONS does not, so
 * mount CORS in front if browsers call. Handlers behind it use `callerOf(req)`. A request that meets several guards of one
 * scheme is verified once.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): RequestHandler {
  return (req, res, next) => {
    if (isCardRequest(req.method, req.url, () => req.headers.upgrade)) {
      next()
      return
    }
    // `req.ip` is the socket's address, unless the application trusts a proxy.
    const source = (): string | undefined => req.ip
    const late = (refusal: Refusal): void => refuseLate(req, res, refusal)
    const arrived = { req, target: req.originalUrl, source, refuseLate: late }
    decideNode(scheme, arrived, ({ caller, refusal }) => {
      if (!caller) {
        answerRefusal(req, res, refusal)
        return
      }
      cutWithCaller(caller, req, res)
      next()
    })
  }
}
