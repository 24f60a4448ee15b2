import { longestMs, memoryOf } from './budgets.js'
import { anyToken, guessSkewMs, mostTokensApart, type Attempt } from './state.js'

/** The guesses with one token, oldest first. */
interface TokenLog {
  /** In milliseconds. */
  readonly instants: number[]
  /** What names each guess. */
  readonly ids: string[]
}

/** The recent guesses at one seed, by token. The budgets bound its length. */
export class GuessLog {
  readonly #logs = new Map<string, TokenLog>()

  /** Milliseconds until every budget allows one more guess, 0 if they do now. Guesses with dead tokens do not count. */
  waitFor(attempt: Attempt): number {
    if (this.#logs.size === 0) return 0
    const wait = longestPause([...this.#logs.values()], attempt)
    const listed = wait > 0 ? attempt.liveTokens?.() : undefined
    if (!listed) return wait
    const live = new Set(listed).add(anyToken)
    const counted = [...this.#logs].filter(([token]) => live.has(token)).map(([, log]) => log)
    return counted.length === this.#logs.size ? wait : longestPause(counted, attempt)
  }

  add({ at, token, budgets }: Attempt, id: string): void {
    const now = at.getTime()
    const newest = newestOf([...this.#logs.values()])
    const listed = this.#tokenFor(token, now - longestMs(budgets))
    const { instants, ids } = this.#logs.get(listed) ?? { instants: [], ids: [] }
    this.#logs.set(listed, { instants, ids })
    // Not before the newest one, if the clock was set back a little: no guess is forgotten early.
    const instant = Math.max(now, Math.min(newest, now + guessSkewMs))
    const place = countUntil(instants, instant + 1)
    instants.splice(place, 0, instant)
    ids.splice(place, 0, id)
    // The budgets ask for no more than that.
    if (ids.length > memoryOf(budgets)) for (const list of [instants, ids]) list.shift()
  }

  remove(id: string, token: string | undefined): void {
    for (const listed of [anyToken, token ?? anyToken]) {
      const { instants, ids } = this.#logs.get(listed) ?? { instants: [], ids: [] }
      const place = ids.lastIndexOf(id)
      if (place < 0) continue
      for (const list of [instants, ids]) list.splice(place, 1)
      if (ids.length === 0) this.#logs.delete(listed)
    }
  }

  /** @param since guesses before this instant no longer count */
  #tokenFor(token: string | undefined, since: number): string {
    if (token === undefined || this.#logs.has(token)) return token ?? anyToken
    if (this.#taken < mostTokensApart) return token
    for (const [other, log] of this.#logs) if (newestOf([log]) <= since) this.#logs.delete(other)
    return this.#taken < mostTokensApart ? token : anyToken
  }

  /** How many tokens are told apart. */
  get #taken(): number {
    return this.#logs.size - (this.#logs.has(anyToken) ? 1 : 0)
  }
}

function newestOf(logs: readonly TokenLog[]): number {
  return Math.max(-Infinity, ...logs.map(({ instants }) => instants.at(-1) ?? -Infinity))
}

/** Milliseconds for which a budget is exhausted from now on, the longest of all budgets. */
function longestPause(logs: readonly TokenLog[], { budgets, at }: Attempt): number {
  const now = at.getTime()
  const countSince = (instant: number): number =>
    logs.reduce((sum, { instants }) => sum + instants.length - countUntil(instants, instant), 0)
  let longest = 0
  for (const { limit, seconds } of budgets) {
    const ms = seconds * 1000
    let low = now - ms + 1
    if (countSince(low) < limit) continue
    // The instant of the oldest guess that has to end: so many are not older.
    let high = newestOf(logs)
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (countSince(middle) >= limit) low = middle
      else high = middle - 1
    }
    longest = Math.max(longest, low + ms - now)
  }
  return longest
}

/** How many instants are before that one. */
function countUntil(instants: readonly number[], instant: number): number {
  let low = 0
  let high = instants.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((instants[middle] ?? Infinity) < instant) low = middle + 1
    else high = middle
  }
  return low
}
