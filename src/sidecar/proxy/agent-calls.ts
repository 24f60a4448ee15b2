import { stopwatch } from '../../service/call-log.js'
import { UpstreamError, type IncomingAnswer } from '../forward/exchange.js'
import type { OwnReason } from '../sidecar.js'
import type { AgentCard } from './agent-card.js'
import type { AgentAnswers } from './answers.js'
import type { ProxiedPeer } from './peer.js'
import { Refused } from './refusals.js'
import { credentialsFor, mayRepeat, withCredentials, type Credentials, type OpenCall } from './signed-call.js'
import type { Upstreams } from './upstreams.js'

export interface CallOptions {
  readonly peer: ProxiedPeer
  readonly card: AgentCard
  readonly upstreams: () => Upstreams
  readonly answers: AgentAnswers
}

/** What a call was, for the log. */
export interface Course {
  path: string
  own?: OwnReason
  waitedMs?: number
  upstreamMs?: number
  signed?: boolean
  /** As which it was sent. */
  peer?: string | undefined
}

/** Sends calls to an agent, with credentials that are made afresh for each attempt. */
export class AgentCalls {
  readonly #options: CallOptions
  #waiting = 0

  constructor(options: CallOptions) {
    this.#options = options
  }

  /** How many calls wait for a time step. */
  get waiting(): number {
    return this.#waiting
  }

  /** Sends a request with credentials, and once more where the code was too late or spent. */
  async send(to: URL, call: OpenCall, over: AbortSignal, course: Course): Promise<IncomingAnswer> {
    const { peer, answers } = this.#options
    const { scheme } = peer
    let notBefore: Date | undefined
    for (let tries = 0; ; tries++) {
      const pass = peer.breaker.admit()
      if (!pass) throw this.breakerOpen()
      const credentials = await this.#credentials(call, { signal: over, notBefore }, course)
      // Meanwhile others may have found out, and the credentials may be gone.
      peer.requireCredentials()
      if (peer.breaker.isOpen && !pass.isTrial) throw this.breakerOpen()
      const sentAt = scheme.now()
      const answer = await this.#exchange(to, call, credentials, over, course)
      const { code, signed } = credentials
      const refusal = answers.judge(call, answer, { pass, code })
      if (refusal === undefined) return answer
      const retry = scheme.retryOf(code, refusal, sentAt, signed)
      if (!retry || tries > 0 || !mayRepeat(call, signed)) return answer
      answer.content.destroy()
      notBefore = retry.notBefore
    }
  }

  async #credentials(
    call: OpenCall,
    options: { signal: AbortSignal; notBefore: Date | undefined },
    course: Course,
  ): Promise<Credentials> {
    const elapsed = stopwatch()
    this.#waiting++
    try {
      const credentials = await credentialsFor(this.#options.peer.scheme, call, options)
      course.signed = credentials.signed
      course.peer = this.#options.peer.name
      return credentials
    } finally {
      this.#waiting--
      course.waitedMs = (course.waitedMs ?? 0) + elapsed()
    }
  }

  async #exchange(
    to: URL,
    call: OpenCall,
    credentials: Credentials | undefined,
    over: AbortSignal,
    course: Course,
  ): Promise<IncomingAnswer> {
    const { upstreams, answers, card, peer } = this.#options
    const elapsed = stopwatch()
    const sentAt = peer.scheme.now()
    try {
      const answer = await upstreams().send(to, call.isGrpc, withCredentials(call, credentials), over)
      answers.reached(answer, { profile: peer.scheme.profile, sentAt, receivedAt: peer.scheme.now() })
      return answer
    } catch (error) {
      if (error instanceof UpstreamError && !over.aborted) {
        answers.missed(error)
        if (error.kind === 'unreachable' && call.isGrpc) card.forget()
      }
      throw error
    } finally {
      course.upstreamMs = elapsed()
    }
  }

  /** Sends a request without credentials. */
  sendBare(to: URL, call: OpenCall, over: AbortSignal, course: Course): Promise<IncomingAnswer> {
    return this.#exchange(to, call, undefined, over, course)
  }

  /** The answer while the agent refuses these credentials. */
  breakerOpen(): Refused {
    return new Refused({
      ...{ status: 503, code: 'UNAVAILABLE', reason: 'breaker-open' },
      message:
        'the agent refused these credentials several times, so nothing more is sent to it until they change; see the log of the proxy',
      fields: ['Retry-After', String(this.#options.peer.breaker.triesAgainIn)],
    })
  }
}
