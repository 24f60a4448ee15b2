import type { ServerResponse } from 'node:http'
import {
  UpstreamError,
  type IncomingAnswer,
  type OutgoingRequest,
  type Upstream,
} from '../forward/exchange.js'
import { answerJson } from '../forward/pass-on.js'
import type { OwnReason, SidecarEvent } from '../sidecar.js'

/** What is answered where the agent does not answer. */
const troubles = {
  unreachable: { status: 502, code: 'UNAVAILABLE', own: 'upstream-unreachable', says: 'cannot be reached' },
  cut: { status: 502, code: 'UNAVAILABLE', own: 'upstream-cut', says: 'has ended the connection' },
  slow: { status: 504, code: 'DEADLINE_EXCEEDED', own: 'upstream-slow', says: 'has not answered in time' },
  unsendable: {
    status: 400,
    code: 'INVALID_ARGUMENT',
    own: 'bad-request',
    says: 'cannot be sent such fields',
  },
} as const satisfies Record<UpstreamError['kind'], { own: OwnReason; [key: string]: unknown }>

/** Answers a request that the agent has not answered. Returns why, for the log. */
export function answerTrouble(res: ServerResponse, error: unknown): OwnReason {
  const { status, code, own, says } = troubles[error instanceof UpstreamError ? error.kind : 'cut']
  answerJson(res, status, code, `the agent ${says}`, status === 400 ? [] : ['Retry-After', '1'])
  return own
}

/** The agent, whose coming and going is reported once each time. */
export class UpstreamWatch implements Upstream {
  readonly #upstream: Upstream
  readonly #report: (event: SidecarEvent) => void
  readonly #agent: () => string
  #isDown = false

  constructor(upstream: Upstream, agent: () => string, report: (event: SidecarEvent) => void) {
    this.#upstream = upstream
    this.#agent = agent
    this.#report = report
  }

  get protocol(): Upstream['protocol'] {
    return this.#upstream.protocol
  }

  get origin(): string {
    return this.#upstream.origin
  }

  async send(request: OutgoingRequest, signal: AbortSignal): Promise<IncomingAnswer> {
    try {
      const answer = await this.#upstream.send(request, signal)
      this.#set(false)
      return answer
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'unreachable' && !signal.aborted)
        this.#set(true, error.message)
      throw error
    }
  }

  close(): void {
    this.#upstream.close()
  }

  #set(isDown: boolean, message = ''): void {
    if (this.#isDown === isDown) return
    this.#isDown = isDown
    const base = { at: new Date(), agent: this.#agent() }
    this.#report(isDown ? { type: 'upstream_down', ...base, message } : { type: 'upstream_up', ...base })
  }
}
