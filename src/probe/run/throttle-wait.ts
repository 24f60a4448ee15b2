import type { Answer } from '../wire/answer.js'

/** The longest wait that a run accepts, in seconds. */
export const longestWait = 60

interface Tools {
  readonly sleep: (ms: number) => Promise<void>
  readonly announce: (text: string) => void
}

/** What came of the wish to wait: how long was waited, or why not. */
export type Waited = { readonly seconds: number } | { readonly refused: 'too-long' | 'waited-already' }

/** The one wait of a run for an agent, or a limiter in front of it, that throttles right credentials. */
export class ThrottleWait {
  #wait: Promise<number> | undefined
  #over = false

  constructor(private readonly tools: Tools) {}

  /**
   * Waits for as long as an answer says in Retry-After (RFC 9110 §10.2.3), or one second where it says nothing. Calls
   * that are throttled while the wait goes on share it.
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
    await this.tools.sleep(seconds * 1000)
    this.#over = true
    return seconds
  }
}
