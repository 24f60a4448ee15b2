/** The guard for a plain server of node:http or node:https. */
import type { RequestListener } from 'node:http'
import { answerRefusal, authRequestOf, isCardRequest } from './adapters/http.js'
import { decideThen } from './adapters/outcomes.js'
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
    decideThen(
      scheme,
      req,
      () => authRequestOf(req),
      ({ caller, refusal }) => {
        if (caller) listener(req, res)
        else answerRefusal(req, res, refusal)
      },
    )
  }
}
