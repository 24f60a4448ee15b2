import type { Answer } from '../wire/answer.js'

/** The longest time that a run waits for a throttling agent, in seconds. */
export const longestWait = 60

interface Tools {
  readonly sleep: (ms: number, what?: string) => Promise<void>
  readonly announce: (text: string) => void
  /** Whether a wait of so many milliseconds ends before the deadline of the run. */
  readonly fits?: (ms: number) => boolean
}

/** How long the run waited, or why it did not. */
export type Waited =
  { readonly seconds: number } | { readonly refused: 'too-long' | 'waited-already' | 'deadline' }

type Throttled = Pick<Answer, 'status' | 'retryAfter'>

/** The one wait of a run for an agent, or a rate limiter in front of it, that throttles right credentials. */
export class ThrottleWait {
  #wait: Promise<number> | undefined
  #over = false
  /** Grows while the wait goes on, if others are throttled for longer. */
  #seconds = 0

  constructor(private readonly tools: Tools) {}

  /**
   * Waits as long as Retry-After asks (RFC 9110 §10.2.3), or one second without it. Calls that are throttled during the
   * wait share it, and it lasts as long as the longest of them asks.
   */
  async for({ status, retryAfter = 1 }: Throttled): Promise<Waited> {
    if (this.#over) return { refused: 'waited-already' }
    if (retryAfter > longestWait) return { refused: 'too-long' }
    if (this.tools.fits?.(retryAfter * 1000) === false) return { refused: 'deadline' }
    this.#seconds = Math.max(this.#seconds, retryAfter)
    this.#wait ??= this.#begin(status)
    return { seconds: await this.#wait }
  }

  async #begin(status: number | null): Promise<number> {
    const why = status === 503 ? 'the agent cannot check codes yet' : 'the agent throttles'
    // Those that are throttled at the same time are heard first.
    await Promise.resolve()
    this.tools.announce(`${why}: waiting ${this.#seconds} s, once`)
    for (let waited = 0; waited < this.#seconds;) {
      const more = this.#seconds - waited
      await this.tools.sleep(more * 1000, why)
      waited += more
    }
    this.#over = true
    return this.#seconds
  }
}
