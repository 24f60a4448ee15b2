/** The guards for a plain server of node:http, node:https or node:http2: for requests, and for upgrades. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { decideNode, UpgradeContent } from './adapters/checked-body.js'
import { answerRefusal, authRequestOf, isCardRequest, type NodeRequest } from './adapters/http.js'
import { refuseLate } from './adapters/late-refusal.js'
import { closeWithCaller, cutWithCaller } from './adapters/open-answers.js'
import { decideThen } from './adapters/outcomes.js'
import { answerUpgrade, isResponse } from './adapters/upgrade.js'
import type { Refusal } from './scheme/refusal.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

export { callerOf, outcomeOf } from './adapters/outcomes.js'

/**
 * Wraps a listener so that only requests with both factors reach it: `createServer(totpGuard(scheme, listener))`. A
 * refused request is answered before its body is read, and costs no memory.
 *
 * The card is public: GET and HEAD of exactly `/.well-known/agent-card.json` pass. OPTIONS does not. The listener uses
 * `callerOf(req)`.
 *
 * It guards the event that it listens to, and no other. For `checkContinue`, wrap that listener in the same way; for
 * `upgrade` and `connect` there is {@link totpUpgradeGuard}.
 *
 * The content of a signed request is compared on its way into the request. Over HTTP/2 a listener that reads the stream
 * under it (`req.stream`) instead sees a content that nobody has compared.
 */
export function totpGuard<Req extends NodeRequest = IncomingMessage, Res extends object = ServerResponse>(
  scheme: TOTPServerAuthScheme,
  listener: (req: Req, res: Res) => unknown,
): (req: Req, res: Res) => void {
  const guardUpgrade = totpUpgradeGuard(scheme, listener as never) as (...given: unknown[]) => void
  return (req, res, ...others: unknown[]) => {
    // Without a response it was mounted for `upgrade`, where nothing is public.
    if (!isResponse(res)) {
      guardUpgrade(req, res, ...others)
      return
    }
    if (isCardRequest(req.method, req.url, () => req.headers?.['upgrade'] as string | undefined)) {
      listener(req, res)
      return
    }
    const late = (refusal: Refusal): void => refuseLate(req, res, refusal)
    decideNode(scheme, { req, refuseLate: late }, ({ caller, refusal }) => {
      if (!caller) {
        answerRefusal(req, res, refusal)
        return
      }
      cutWithCaller(caller, req, res)
      listener(req, res)
    })
  }
}

/** A listener of the events `upgrade` and `connect`. */
export type UpgradeListener = (req: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Wraps a listener for upgrades so that only those with both factors reach it, as for WebSockets:
 *
 * ```ts
 * server.on('upgrade', totpUpgradeGuard(scheme, (req, socket, head) => wss.handleUpgrade(req, socket, head, serve)))
 * ```
 *
 * Node passes requests with an `Upgrade` field to the listeners of `upgrade` alone, and CONNECT to those of `connect`: no
 * guard of requests sees them. This one is for both events. (Over HTTP/2, CONNECT comes with a response, so there
 * {@link totpGuard} is the guard for `connect`.)
 *
 * A refused upgrade gets the same answer as a refused request, and its connection is closed. No path is public. The
 * listener uses `callerOf(req)`. Until it is called, errors of the socket are ignored, and it is not called if the client
 * has gone; from then on it has to listen for them. The connection is closed once the caller's credentials end.
 */
export function totpUpgradeGuard(scheme: TOTPServerAuthScheme, listener: UpgradeListener): UpgradeListener {
  return (req, socket, head) => {
    // The server has removed its own listener, and an error that nobody listens for ends the process.
    const ignore = (): void => undefined
    socket.on('error', ignore)
    decideThen(
      scheme,
      req,
      () => authRequestOf(req, undefined, undefined, new UpgradeContent(req)),
      ({ caller, refusal }) => {
        if (!caller) {
          answerUpgrade(req, socket, refusal)
        } else if (!socket.destroyed) {
          socket.off('error', ignore)
          closeWithCaller(caller, socket)
          listener(req, socket, head)
        }
      },
    )
  }
}
