/** The guard for Hono 4, on @hono/node-server or any other runtime. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Context, MiddlewareHandler } from 'hono'
import * as fetchStyle from './adapters/fetch.js'
import { authRequestOf, isCardRequest, type NodeRequest } from './adapters/http.js'
import { closeWithCaller, cutWithCaller } from './adapters/open-answers.js'
import { endingWithCaller } from './adapters/open-responses.js'
import * as outcomes from './adapters/outcomes.js'
import type { AuthOutcome, Caller } from './scheme/outcome.js'
import type { AuthRequest } from './scheme/request.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

/** The type of a Hono app behind the guard, which sets `c.var.caller`. */
export interface TOTPGuardEnv {
  readonly Variables: { readonly caller: Caller }
}

export interface TOTPGuardOptions {
  /**
   * Returns the caller's address, so that unknown tokens are limited per source. By default the socket's address on
   * @hono/node-server, and none on other runtimes, where all callers share one limit.
   */
  readonly source?: (c: Context) => string | undefined
}

/**
 * A middleware that lets only callers with both factors pass, and sets `c.var.caller`: `app.use('/a2a/*',
 * totpGuard(scheme))`. It never touches a body.
 *
 * The card is public: GET and HEAD of exactly `/.well-known/agent-card.json` pass, without a caller. OPTIONS does not, so
 * mount CORS in front if browsers call. A request that meets several guards of one scheme is verified once.
 */
export function totpGuard(
  scheme: TOTPServerAuthScheme,
  options: TOTPGuardOptions = {},
): MiddlewareHandler<TOTPGuardEnv> {
  return async (c, next) => {
    const { method, url, headers } = c.req.raw
    const isCard = (path: string): boolean => isCardRequest(method, path, () => headers.get('upgrade'))
    const parsed = new URL(url)
    // Hono routes by a path of its own, which must be the card's as well.
    if (isCard(parsed.pathname) && isCard(c.req.path)) return next()
    const { caller, refusal } = await outcomes.decide(scheme, c, () => requestOf(c, parsed, options))
    if (!caller) return fetchStyle.responseOf(refusal, method)
    c.set('caller', caller)
    const { incoming, outgoing } = nodeOf(c)
    if (incoming && outgoing) {
      cutWithCaller(caller, incoming, outgoing)
      return next()
    }
    // A WebSocket's handshake comes with no response of Node's.
    const connection = incoming as { readonly socket?: Socket } | undefined
    if (headers.has('upgrade') && connection?.socket) {
      closeWithCaller(caller, connection.socket)
      return next()
    }
    await next()
    const ending = endingWithCaller(caller, c.res)
    if (ending !== c.res) c.res = ending
  }
}

/** The caller of a request, see {@link outcomes.callerOf}. Without a scheme it is `c.var.caller`. */
export function callerOf(c: Context, scheme?: TOTPServerAuthScheme): Caller | undefined {
  return outcomes.callerOf(c, scheme)
}

/** The outcome of a request, for logs, see {@link outcomes.outcomeOf}. */
export function outcomeOf(c: Context, scheme?: TOTPServerAuthScheme): AuthOutcome | undefined {
  return outcomes.outcomeOf(c, scheme)
}

/** With the header lines as received on @hono/node-server, and from `Headers` elsewhere. */
function requestOf(c: Context, url: URL, { source }: TOTPGuardOptions): AuthRequest {
  const { incoming } = nodeOf(c)
  const address = (): string | undefined => (source ? source(c) : incoming?.socket?.remoteAddress)
  return incoming
    ? authRequestOf(incoming, incoming.url, address)
    : fetchStyle.authRequestOf(c.req.raw, url, address)
}

/** Node's own request and response, which @hono/node-server passes on (in some set-ups under `server`). */
function nodeOf(c: Context): NodeBindings {
  const env = c.env as (NodeBindings & { readonly server?: NodeBindings }) | undefined
  const bindings = env?.incoming ? env : (env?.server ?? {})
  const { incoming } = bindings
  // On other runtimes this is the name of anything that the application has put there.
  return incoming?.rawHeaders || incoming?.headers ? bindings : {}
}

interface NodeBindings {
  readonly incoming?: NodeRequest
  readonly outgoing?: ServerResponse
}
