/** The guard for a plain server of node:http or node:https. */
import type { RequestListener } from 'node:http'
import { answerRefusal, authRequestOf, isCardRequest } from './adapters/http.js'
import { decide } from './adapters/outcomes.js'
import type { AuthOutcome } from './scheme/outcome.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * A listener that hands on only requests with both factors: `createServer(totpGuard(scheme, listener))`. A refused
 * request is answered before its body is read, and costs no memory.
 *
 * GET and HEAD of exactly `/.well-known/agent-card.json` pass: the card is public. OPTIONS is no exception. The listener
 * asks `callerOf(req)`.
 */
export function totpGuard(scheme: TOTPServerAuthScheme, listener: RequestListener): RequestListener {
  return (req, res) => {
    if (isCardRequest(req.method, req.url)) {
      listener(req, res)
      return
    }
    const answer = ({ refusal }: AuthOutcome): void => {
      if (refusal) answerRefusal(req, res, refusal)
      else listener(req, res)
    }
    // Outside of the promise, so that what the listener throws is an uncaught exception, as it would be without a guard.
    void decide(scheme, req, () => authRequestOf(req)).then((outcome) =>
      queueMicrotask(() => answer(outcome)),
    )
  }
}
