import type { UpstreamError } from '../forward/exchange.js'
import { type IncomingAnswer } from '../forward/exchange.js'
import { linesOf, type RawFields } from '../forward/fields.js'
import type { Observer } from '../sidecar.js'
import type { BreakerPass } from './breaker.js'
import type { OpenCall } from './signed-call.js'

/** The status codes of gRPC that matter here. */
const [ok, unauthenticated] = ['0', '16']

/** What the agent's answers show about the credentials, and about whether it can be reached. */
export class AgentAnswers {
  readonly #observer: Observer
  readonly #now: () => Date
  readonly #agent: () => string
  #isDown = false
  /** When an answer last showed that the credentials were accepted. */
  lastSuccessAt: Date | undefined

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
  reached(): void {
    if (!this.#isDown) return
    this.#isDown = false
    this.#observer.event({ at: this.#now(), type: 'upstream_up', agent: this.#agent() })
  }

  missed({ kind, message }: UpstreamError): void {
    if (this.#isDown || kind !== 'unreachable') return
    this.#isDown = true
    this.#observer.event({ at: this.#now(), type: 'upstream_down', agent: this.#agent(), message })
  }

  #accepted(pass: BreakerPass): void {
    this.lastSuccessAt = this.#now()
    pass.accepted()
  }

  /** A code that was spent was right. */
  #refused(fields: RawFields, pass: BreakerPass, code: string): void {
    const [after = ''] = linesOf(fields, 'retry-after')
    if (/^[0-9]{1,6}$/.test(after)) this.#accepted(pass)
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
