/** The guard for Fastify 5. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { decideNode } from './adapters/checked-body.js'
import { drain, http2StreamOf } from './adapters/drain.js'
import { isCardRequest, linesByName } from './adapters/http.js'
import { ofAnswers, refuseLate } from './adapters/late-refusal.js'
import { cutWithCaller } from './adapters/open-answers.js'
import * as outcomes from './adapters/outcomes.js'
import type { AuthOutcome, Caller } from './scheme/outcome.js'
import { httpAnswer, type Refusal } from './scheme/refusal.js'
import type { TOTPServerAuthScheme } from './scheme/scheme.js'

/**
 * An `onRequest` hook. It calls back only for a caller: a promise would also be fulfilled when a refused client
 * disconnects, and Fastify would go on to the handler.
 */
export type FastifyGuard = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/**
 * Returns an `onRequest` hook that lets only callers with both factors pass: `app.addHook('onRequest',
 * totpGuard(scheme))`, for the whole application or within a `register`. It runs before the body is read, so a refused
 * request costs no memory.
 *
 * The card is public: GET and HEAD of exactly `/.well-known/agent-card.json` pass. OPTIONS does not, so register CORS
 * first if browsers call. Handlers behind it use `callerOf(request)`.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): FastifyGuard {
  return (request, reply, done) => {
    const { raw, originalUrl, method, url } = request
    if (isCardRequest(method, url, () => raw.headers.upgrade)) {
      done()
      return
    }
    const source = (): string => request.ip
    const late = (refusal: Refusal): void => refuseContent(reply, refusal)
    const arrived = { req: raw, target: originalUrl, source, refuseLate: late }
    decideNode(scheme, arrived, ({ caller, refusal }) => {
      if (!caller) {
        drain(raw, reply.raw)
        refuse(reply, refusal)
        return
      }
      cutWithCaller(caller, raw, reply.raw)
      done()
    })
  }
}

function refuse(reply: FastifyReply, refusal: Refusal): void {
  const { status, headers, body } = httpAnswer(refusal)
  reply.code(status)
  for (const [name, lines] of linesByName(headers)) reply.header(name, lines)
  void reply.send(body)
}

/** Answers through Fastify, whose handler has not begun or has not answered yet, so that its hooks see the answer. */
function refuseContent(reply: FastifyReply, refusal: Refusal): void {
  const { raw } = reply.request
  if (reply.sent || reply.raw.headersSent) {
    refuseLate(raw, reply.raw, refusal)
    return
  }
  for (const name of ofAnswers) reply.removeHeader(name)
  if (!http2StreamOf(raw)) reply.header('Connection', 'close')
  refuse(reply, refusal)
}

/** The caller of a request, see {@link outcomes.callerOf}. */
export function callerOf({ raw }: FastifyRequest, scheme?: TOTPServerAuthScheme): Caller | undefined {
  return outcomes.callerOf(raw, scheme)
}

/** The outcome of a request, for logs, see {@link outcomes.outcomeOf}. */
export function outcomeOf({ raw }: FastifyRequest, scheme?: TOTPServerAuthScheme): AuthOutcome | undefined {
  return outcomes.outcomeOf(raw, scheme)
}
