/** The guard for Fastify 5. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { authRequestOf, drain, isCardRequest } from './adapters/http.js'
import { httpAnswer } from './scheme/refusal.js'
import type { AuthOutcome, Caller, TOTPServerAuthScheme } from './scheme/totp-server-auth-scheme.js'
import * as verdicts from './adapters/outcomes.js'

/** An `onRequest` hook. */
export type FastifyGuard = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/**
 * An `onRequest` hook that lets only callers with both factors pass: `app.addHook('onRequest', totpGuard(scheme))`, for
 * the whole application or in the scope of a `register`. It runs before the body is read, so a refused request costs no
 * memory.
 *
 * GET and HEAD of exactly `/.well-known/agent-card.json` pass: the card is public. OPTIONS is no exception, so where
 * browsers call, CORS is registered first. Handlers behind ask `callerOf(request)`.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): FastifyGuard {
  return async (request, reply) => {
    const { raw, originalUrl, method, url } = request
    if (isCardRequest(method, url)) return
    const { refusal } = await verdicts.decide(scheme, raw, () =>
      authRequestOf(raw, originalUrl, () => request.ip),
    )
    if (!refusal) return
    const { status, headers, body } = httpAnswer(refusal)
    reply.code(status)
    for (const [name] of headers) {
      const lines = headers.filter(([other]) => other === name).map(([, value]) => value)
      // A list of one is no Content-Type to Fastify, which then says text/plain.
      reply.header(name, lines.length === 1 ? lines[0] : lines)
    }
    drain(raw)
    return reply.send(body)
  }
}

/** Who made a request that a guard let pass; nobody when it met no guard. */
export function callerOf({ raw }: FastifyRequest): Caller | undefined {
  return verdicts.callerOf(raw)
}

/** Which answer a guard gave, or none when the request met no guard: for logs. */
export function outcomeOf({ raw }: FastifyRequest): AuthOutcome | undefined {
  return verdicts.outcomeOf(raw)
}
