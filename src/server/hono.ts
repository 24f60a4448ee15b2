/** The guard for Hono 4, on @hono/node-server or any other runtime. */
import type { IncomingMessage } from 'node:http'
import type { Context, MiddlewareHandler } from 'hono'
import * as fetchStyle from './adapters/fetch.js'
import { authRequestOf, isCardRequest } from './adapters/http.js'
import * as outcomes from './adapters/outcomes.js'
import type { AuthOutcome, Caller } from './scheme/outcome.js'
import type { AuthRequest } from './scheme/request.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

/** What the guard sets for the handlers behind it. */
export interface TOTPGuardEnv {
  readonly Variables: { readonly caller: Caller }
}

export interface TOTPGuardOptions {
  /**
   * Returns the caller's address, which slows down strangers source by source; by default the address of the socket on
   * @hono/node-server, and none on other runtimes, where all strangers share one limit.
   */
  readonly source?: (c: Context) => string | undefined
}

/**
 * A middleware that lets only callers with both factors pass, and sets `c.var.caller`: `app.use('/a2a/*',
 * totpGuard(scheme))`. It does not touch the body of any request.
 *
 * GET and HEAD of exactly `/.well-known/agent-card.json` pass, without a caller: the card is public. OPTIONS is no
 * exception, so where browsers call, CORS goes in front. A request that meets the same scheme's guard twice is decided
 * about once.
 */
export function totpGuard(
  scheme: TOTPServerAuthScheme,
  options: TOTPGuardOptions = {},
): MiddlewareHandler<TOTPGuardEnv> {
  return async (c, next) => {
    const { method, url } = c.req.raw
    const parsed = new URL(url)
    if (isCardRequest(method, parsed.pathname)) return next()
    const outcome = await outcomes.decide(scheme, c, () => requestOf(c, parsed, options))
    if (outcome.refusal) return fetchStyle.responseOf(outcome.refusal, method)
    c.set('caller', outcome.caller)
    return next()
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

/** On @hono/node-server the header lines as they were received; elsewhere what `Headers` makes of them. */
function requestOf(c: Context, url: URL, { source }: TOTPGuardOptions): AuthRequest {
  const incoming = incomingOf(c)
  const address = (): string | undefined => (source ? source(c) : incoming?.socket.remoteAddress)
  return incoming
    ? authRequestOf(incoming, incoming.url, address)
    : fetchStyle.authRequestOf(c.req.raw, url, address())
}

/** Node's own request, where @hono/node-server passes it on (under `server` in some set-ups). */
function incomingOf(c: Context): IncomingMessage | undefined {
  const env = c.env as NodeBindings | undefined
  return env?.incoming ?? env?.server?.incoming
}

interface NodeBindings {
  readonly incoming?: IncomingMessage
  readonly server?: { readonly incoming?: IncomingMessage }
}
