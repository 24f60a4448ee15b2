/** The least time that a run may wait for answers in all, in milliseconds, and how many time-outs fit into it. */
const leastMs = 60_000
const timeouts = 10

/** Counts the requests of a run, and limits how long it waits for answers, however many are open at a time. */
export class TimeBudget {
  /** Requests sent so far. */
  requests = 0
  #waitedMs = 0
  #open = 0
  #since = 0
  readonly #mostMs: number

  /** @param timeoutMs how long one request may take */
  constructor(timeoutMs: number) {
    this.#mostMs = Math.max(leastMs, timeouts * timeoutMs)
  }

  /** Whether the run has waited so long that it sends nothing more. */
  get exhausted(): boolean {
    return this.#waitedMs + this.#waitingMs > this.#mostMs
  }

  /** How long it has been since there was no open request. */
  get #waitingMs(): number {
    return this.#open === 0 ? 0 : performance.now() - this.#since
  }

  /** Waits for the answer to one request. */
  async spend<T>(exchange: () => Promise<T>): Promise<T> {
    this.requests += 1
    if (this.#open === 0) this.#since = performance.now()
    this.#open += 1
    try {
      return await exchange()
    } finally {
      if (this.#open === 1) this.#waitedMs += this.#waitingMs
      this.#open -= 1
    }
  }
}
