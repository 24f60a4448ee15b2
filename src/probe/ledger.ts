/** Least time that a run may spend on waiting for answers, and how many time-outs fit into it, in milliseconds. */
const leastMs = 60_000
const timeouts = 10

/** Counts what a run sends, and bounds how long it waits for answers in all. */
export class Ledger {
  /** Requests sent so far. */
  requests = 0
  #waitedMs = 0
  readonly #mostMs: number

  /** @param timeoutMs how long one request may take */
  constructor(timeoutMs: number) {
    this.#mostMs = Math.max(leastMs, timeouts * timeoutMs)
  }

  /** Whether the run has waited so long that it sends nothing more. */
  get exhausted(): boolean {
    return this.#waitedMs > this.#mostMs
  }

  /** Waits for the answer to one request. */
  async spend<T>(exchange: () => Promise<T>): Promise<T> {
    this.requests += 1
    const begun = performance.now()
    try {
      return await exchange()
    } finally {
      this.#waitedMs += performance.now() - begun
    }
  }
}
