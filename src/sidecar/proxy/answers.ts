import { clockDifferenceMs, sentBy } from '../../core/clock-difference.js'
import type { TOTPProfile } from '../../core/profile.js'
import type { UpstreamError } from '../forward/exchange.js'
import { type IncomingAnswer } from '../forward/exchange.js'
import { linesOf, type RawFields } from '../forward/fields.js'
import type { Observer } from '../sidecar.js'
import type { BreakerPass } from './breaker.js'
import type { OpenCall } from './signed-call.js'

/** The status codes of gRPC that matter here. */
const [ok, unauthenticated] = ['0', '16']

/** When an answer's request was sent and its head arrived, and how far clocks may be apart. */
export interface AnswerTimes {
  readonly profile: Pick<TOTPProfile, 'period' | 'window'>
  readonly sentAt: Date
  readonly receivedAt: Date
}

/** What the agent's answers show about the credentials, and about whether it can be reached. */
export class AgentAnswers {
  readonly #observer: Observer
  readonly #now: () => Date
  readonly #agent: () => string
  #isDown = false
  #clockDiffers = false
  /** When an answer last showed that the credentials were accepted. */
  lastSuccessAt: Date | undefined
  /** By the Date of the last answer that has one: positive if the agent's clock is ahead of this one. */
  clockSeconds: number | undefined

  constructor(observer: Observer, now: () => Date, agent: () => string) {
    this.#observer = observer
    this.#now = now
    this.#agent = agent
  }

  /**
   * Tells the breaker what an answer means.
   *
   * @returns the refusal, if it is one by its head, as a response has it
   */
  judge(
    call: Pick<OpenCall, 'isGrpc' | 'method'>,
    answer: IncomingAnswer,
    { pass, code }: { readonly pass: BreakerPass; readonly code: string },
  ): { status: 401; headers: Headers } | undefined {
    const { status, fields } = answer
    const isRefused = status === 401 || (call.isGrpc && grpcStatusIn(fields) === unauthenticated)
    if (isRefused) {
      this.#refused(fields, pass, code)
      return { status: 401, headers: headersOf(fields) }
    }
    if (call.isGrpc) {
      if (grpcStatusIn(fields) === ok) this.#accepted(pass)
      answer.content.once('end', () => {
        const trailers = answer.trailers()
        if (grpcStatusIn(trailers) === unauthenticated) this.#refused(trailers, pass, code)
        if (grpcStatusIn(trailers) === ok) this.#accepted(pass)
      })
    } else if (status >= 200 && status < 300 && !['GET', 'HEAD'].includes(call.method)) {
      // What can be read without credentials, such as a health page, shows nothing about them.
      this.#accepted(pass)
    }
    return undefined
  }

  /** The agent has answered. */
  reached({ fields }: Pick<IncomingAnswer, 'fields'>, times: AnswerTimes): void {
    this.#compareClocks(fields, times)
    if (!this.#isDown) return
    this.#isDown = false
    this.#observer.event({ at: this.#now(), type: 'upstream_up', agent: this.#agent() })
  }

  missed({ kind, message }: UpstreamError): void {
    if (this.#isDown || kind !== 'unreachable') return
    this.#isDown = true
    this.#observer.event({ at: this.#now(), type: 'upstream_down', agent: this.#agent(), message })
  }

  /** Says once that the clocks are so far apart that codes are refused, until they agree again. */
  #compareClocks(fields: RawFields, { profile, sentAt, receivedAt }: AnswerTimes): void {
    const [date, age] = ['date', 'age'].map((name) => linesOf(fields, name)[0])
    const theirs = sentBy({ date, age, receivedAt })?.getTime()
    if (theirs === undefined) return
    // A Date has whole seconds, rounded down.
    const ours = (sentAt.getTime() + receivedAt.getTime()) / 2 - 500
    this.clockSeconds = Math.round((theirs - ours) / 1000)
    const differs = clockDifferenceMs(profile, { date, age, sentAt, receivedAt }) !== undefined
    if (differs && !this.#clockDiffers) {
      const seconds = this.clockSeconds
      this.#observer.event({ at: this.#now(), type: 'clock_differs', agent: this.#agent(), seconds })
    }
    this.#clockDiffers = differs
  }

  #accepted(pass: BreakerPass): void {
    this.lastSuccessAt = this.#now()
    pass.accepted()
  }

  /** With Retry-After the code may have been right, and spent. */
  #refused(fields: RawFields, pass: BreakerPass, code: string): void {
    const [after = ''] = linesOf(fields, 'retry-after')
    if (/^[0-9]{1,6}$/.test(after)) pass.spent(code)
    else pass.refused(code)
  }
}

function grpcStatusIn(fields: RawFields): string | undefined {
  return linesOf(fields, 'grpc-status')[0]
}

function headersOf(fields: RawFields): Headers {
  const headers = new Headers()
  for (const name of ['www-authenticate', 'retry-after', 'date', 'age']) {
    for (const value of linesOf(fields, name)) headers.append(name, value)
  }
  return headers
}
