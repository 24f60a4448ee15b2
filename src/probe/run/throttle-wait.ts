import type { Answer } from '../wire/answer.js'

/** The longest time that a run waits for a throttling agent, in seconds. */
export const longestWait = 60

interface Tools {
  readonly sleep: (ms: number, what?: string) => Promise<void>
  readonly announce: (text: string) => void
}

/** How long the run waited, or why it did not. */
export type Waited = { readonly seconds: number } | { readonly refused: 'too-long' | 'waited-already' }

/** The one wait of a run for an agent, or a rate limiter in front of it, that throttles right credentials. */
export class ThrottleWait {
  #wait: Promise<number> | undefined
  #over = false

  constructor(private readonly tools: Tools) {}

  /**
   * Waits as long as Retry-After asks (RFC 9110 §10.2.3), or one second without it. Calls that are throttled during the
   * wait share it.
   */
  async for({ status, retryAfter = 1 }: Pick<Answer, 'status' | 'retryAfter'>): Promise<Waited> {
    if (this.#over) return { refused: 'waited-already' }
    if (retryAfter > longestWait) return { refused: 'too-long' }
    this.#wait ??= this.#begin(status, retryAfter)
    return { seconds: await this.#wait }
  }

  async #begin(status: number | null, seconds: number): Promise<number> {
    const why = status === 503 ? 'the agent cannot check codes yet' : 'the agent throttles'
    this.tools.announce(`${why}: waiting ${seconds} s, once`)
    await this.tools.sleep(seconds * 1000, why)
    this.#over = true
    return seconds
  }
}
