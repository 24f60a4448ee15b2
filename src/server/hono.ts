/** The guard for Hono 4, on @hono/node-server or any other runtime. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Context, MiddlewareHandler, Next } from 'hono'
import { bodyOf, isRefusedLate, UpgradeContent } from './adapters/checked-body.js'
import { http2StreamOf } from './adapters/drain.js'
import * as fetchStyle from './adapters/fetch.js'
import { authRequestOf, isCardRequest, type NodeRequest } from './adapters/http.js'
import { refuseLate } from './adapters/late-refusal.js'
import { closeWithCaller, cutWithCaller } from './adapters/open-answers.js'
import { endingWithCaller } from './adapters/open-responses.js'
import * as outcomes from './adapters/outcomes.js'
import type { AuthOutcome, Caller } from './scheme/outcome.js'
import type { Refusal } from './scheme/refusal.js'
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
 * totpGuard(scheme))`. It touches no body, except of requests with a proof, whose content is compared with it.
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
    const { incoming, outgoing } = nodeOf(c)
    if (incoming && outgoing) return onNode(scheme, c, { incoming, outgoing }, parsed, options, next)
    const { outcome, checked } = await fetchStyle.decideFetch(scheme, c, c.req.raw, (body) =>
      requestOf(c, parsed, options, incoming ? new UpgradeContent(incoming) : body),
    )
    const { caller, refusal } = outcome
    if (!caller) return fetchStyle.responseOf(refusal, method)
    c.set('caller', caller)
    // A WebSocket's handshake comes with no response of Node's.
    const connection = incoming as { readonly socket?: Socket } | undefined
    if (headers.has('upgrade') && connection?.socket) {
      closeWithCaller(caller, connection.socket)
      return next()
    }
    if (!checked) {
      await next()
    } else {
      c.req.raw = checked.request
      const response = await fetchStyle.respond(checked, () => next().then(() => c.res))
      if (response !== c.res) c.res = response
    }
    const ending = endingWithCaller(caller, c.res)
    if (ending !== c.res) c.res = ending
  }
}

/** On @hono/node-server the request and the response are Node's own, also for handlers that use those. */
async function onNode(
  scheme: TOTPServerAuthScheme,
  c: Context<TOTPGuardEnv>,
  { incoming, outgoing }: Required<NodeBindings>,
  url: URL,
  options: TOTPGuardOptions,
  next: Next,
): Promise<Response | undefined> {
  let body: AuthRequest['body']
  let answer: (response: Response) => void = (): void => undefined
  let isAnswered = false
  const refused = new Promise<Response>((done) => (answer = done))
  const refuseContent = (refusal: Refusal): void => {
    outcomes.amend(scheme, c, refusal)
    if (isAnswered) {
      refuseLate(incoming, outgoing, refusal)
      return
    }
    const response = fetchStyle.responseOf(refusal, c.req.method)
    if (!http2StreamOf(incoming)) response.headers.set('Connection', 'close')
    answer(response)
  }
  const outcome = await outcomes.decide(scheme, c, () => {
    body = bodyOf(scheme, incoming, refuseContent)
    return requestOf(c, url, options, body)
  })
  if (isRefusedLate(body, outcome)) return refused
  const { caller, refusal } = outcome
  if (!caller) return fetchStyle.responseOf(refusal, c.req.method)
  c.set('caller', caller)
  cutWithCaller(caller, incoming, outgoing)
  const answered = next().then(() => void (isAnswered = true))
  if (!body) {
    await answered
    return undefined
  }
  const response = await Promise.race([answered, refused])
  // Its handler may still be waiting for the content.
  if (response) answered.catch(() => undefined)
  return response ?? undefined
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
function requestOf(
  c: Context,
  url: URL,
  { source }: TOTPGuardOptions,
  body: AuthRequest['body'],
): AuthRequest {
  const { incoming } = nodeOf(c)
  const address = (): string | undefined => (source ? source(c) : incoming?.socket?.remoteAddress)
  return incoming
    ? authRequestOf(incoming, incoming.url, address, body)
    : fetchStyle.authRequestOf(c.req.raw, url, address, body)
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
