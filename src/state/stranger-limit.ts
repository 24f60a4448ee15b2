import { TOTPError } from '../core/errors.js'
import { memoryOf, parseBudgets, waitFor, type Budget } from './budgets.js'
import { sourceKey } from './source.js'
import { secondsUntil } from './state.js'

export interface StrangerLimitOptions {
  /**
   * Requests with an unknown token that one source may send in any minute; by default 60. A source is an IPv4 address or
   * the /64 of an IPv6 address.
   */
  readonly perMinute?: number
  /** How many sources are remembered, by default 10,000; beyond that, the one with no request for longest is forgotten. */
  readonly sources?: number
}

/**
 * Limits requests with unknown tokens, per source. They never touch a peer's budget, so a peer cannot be locked out
 * without its token. Kept in this process only: the limit saves work, and security does not depend on it.
 */
export class StrangerLimit {
  readonly #perMinute: number
  readonly #budgets: readonly Budget[]
  readonly #most: number
  readonly #sources = new Map<string, number[]>()

  /** @throws {TOTPError} `ERR_CONFIG_INVALID` unless both are whole numbers above 0. */
  constructor({ perMinute = 60, sources = 10_000 }: StrangerLimitOptions = {}) {
    this.#perMinute = perMinute
    this.#budgets = parseBudgets([{ limit: perMinute, seconds: 60 }])
    this.#most = sources
    if (Number.isSafeInteger(sources) && sources > 0) return
    throw new TOTPError('ERR_CONFIG_INVALID', 'sources must be a whole number above 0')
  }

  /** How many more unknown tokens the source may send now; 0 if its limit is exhausted. Counts nothing. */
  room(source: string, at: Date): number {
    const events = this.#sources.get(sourceKey(source)) ?? []
    const since = at.getTime() - 60_000
    return this.#perMinute - events.filter((event) => event > since).length
  }

  /** Counts a request with an unknown token. Returns 0 within the limit, otherwise the whole seconds to wait. */
  count(source: string, at: Date): number {
    const now = at.getTime()
    const key = sourceKey(source)
    const events = this.#sources.get(key) ?? []
    const wait = waitFor(events, this.#budgets, now)
    if (wait === 0) events.push(now)
    // Older events no longer matter: as many as the limit exhaust the budget.
    if (events.length > memoryOf(this.#budgets)) events.shift()
    // Deleting and setting moves a source to the end of the map, so the first key is the quietest one.
    this.#sources.delete(key)
    this.#sources.set(key, events)
    if (this.#sources.size > this.#most) {
      const [quietest] = this.#sources.keys()
      if (quietest !== undefined) this.#sources.delete(quietest)
    }
    return wait === 0 ? 0 : secondsUntil(now + wait, now)
  }
}
