/** The guard for a plain server of node:http or node:https. */
import type { RequestListener } from 'node:http'
import { answerRefusal, authRequestOf, isCardRequest } from './adapters/http.js'
import { decide } from './adapters/outcomes.js'
import type { AuthOutcome } from './scheme/outcome.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * Wraps a listener so that only requests with both factors reach it: `createServer(totpGuard(scheme, listener))`. A
 * refused request is answered before its body is read, and costs no memory.
 *
 * The card is public: GET and HEAD of exactly `/.well-known/agent-card.json` pass. OPTIONS does not. The listener uses
 * `callerOf(req)`.
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
    // In a microtask of its own: an error of the listener is an uncaught exception, as without a guard, not a rejection.
    void decide(scheme, req, () => authRequestOf(req)).then((outcome) =>
      queueMicrotask(() => answer(outcome)),
    )
  }
}
