import { TOTPError } from '../core/errors.js'
import { memoryOf, parseBudgets, waitFor, type Budget } from './budgets.js'
import { secondsUntil } from './state.js'

export interface StrangerLimitOptions {
  /** Requests with an unknown token that one source may make in any minute. */
  readonly perMinute?: number
  /** How many sources are remembered; beyond, the one that was quiet for longest is forgotten. */
  readonly sources?: number
}

/**
 * Slows down those who come with unknown tokens, per source. They touch no peer's budget, so that nobody can
 * lock a peer out without its token. Kept in this process: it saves work, and guards nothing that is scarce.
 */
export class StrangerLimit {
  readonly #budgets: readonly Budget[]
  readonly #most: number
  readonly #sources = new Map<string, number[]>()

  /** @throws {TOTPError} `ERR_CONFIG_INVALID` for what is no whole number above 0. */
  constructor({ perMinute = 60, sources = 10_000 }: StrangerLimitOptions = {}) {
    this.#budgets = parseBudgets([{ limit: perMinute, seconds: 60 }])
    this.#most = sources
    if (Number.isSafeInteger(sources) && sources > 0) return
    throw new TOTPError('ERR_CONFIG_INVALID', 'sources must be a whole number above 0')
  }

  /** Counts a request with an unknown token: 0 when it is within the limit, else whole seconds to wait. */
  count(source: string, at: Date): number {
    const now = at.getTime()
    const events = this.#sources.get(source) ?? []
    const wait = waitFor(events, this.#budgets, now)
    if (wait === 0) events.push(now)
    // Older ones no longer matter: the window is full by as many as its limit.
    if (events.length > memoryOf(this.#budgets)) events.shift()
    // Setting it anew moves it to the end of the map, so the first key is the quietest source.
    this.#sources.delete(source)
    this.#sources.set(source, events)
    if (this.#sources.size > this.#most) {
      const [quietest] = this.#sources.keys()
      if (quietest !== undefined) this.#sources.delete(quietest)
    }
    return wait === 0 ? 0 : secondsUntil(now + wait, now)
  }
}
