import type { RawAnswer } from './raw-answer.js'

/** The least time that a run may wait in vain, in milliseconds, and how many time-outs fit into it. */
const leastMs = 60_000
const timeouts = 10

/**
 * Counts the requests of a run, and limits how long it waits for answers that do not come. Answers that come may be as slow as
 * a request may take: a run is ended by its deadline alone.
 */
export class TimeBudget {
  /** Requests sent so far. */
  requests = 0
  #lostMs = 0
  #lostUntil = 0
  readonly #mostMs: number

  /** @param timeoutMs how long one request may take */
  constructor(timeoutMs: number) {
    this.#mostMs = Math.max(leastMs, timeouts * timeoutMs)
  }

  /** Whether the run has waited in vain for so long that it sends nothing more. */
  get exhausted(): boolean {
    return this.#lostMs > this.#mostMs
  }

  /** Waits for the answer to one request. */
  async spend<T extends RawAnswer | 'stale'>(exchange: () => Promise<T>): Promise<T> {
    this.requests += 1
    const begun = performance.now()
    const outcome = await exchange()
    if (outcome !== 'stale' && !outcome.answered && outcome.reason === 'timeout') this.#lose(begun)
    return outcome
  }

  /** What several requests waited at a time counts once. */
  #lose(begun: number): void {
    const now = performance.now()
    this.#lostMs += now - Math.max(begun, this.#lostUntil)
    this.#lostUntil = now
  }
}
