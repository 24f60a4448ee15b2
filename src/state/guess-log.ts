import { memoryOf, waitFor } from './budgets.js'
import { anyToken, logLengthFor, mostTokensApart, type Attempt } from './state.js'

interface Guess {
  readonly id: string
  /** The hash of its token, or {@link anyToken}. */
  readonly token: string
}

/** The recent guesses at one seed, oldest first. The budgets bound its length. */
export class GuessLog {
  #guesses: Guess[] = []
  /** The instant of each guess, in milliseconds. */
  #instants: number[] = []

  /** The instant of the newest guess, in milliseconds. */
  get newest(): number {
    return this.#instants.at(-1) ?? -Infinity
  }

  /** Milliseconds until every budget allows one more guess, 0 if they do now. Guesses with dead tokens do not count. */
  waitFor({ budgets, at, liveTokens }: Attempt): number {
    const wait = waitFor(this.#instants, budgets, at.getTime())
    if (wait === 0 || !liveTokens) return wait
    const live = new Set(liveTokens()).add(anyToken)
    const counted = this.#instants.filter((_, place) => live.has(this.#guesses[place]?.token ?? anyToken))
    return waitFor(counted, budgets, at.getTime())
  }

  add({ at, token, budgets }: Attempt, id: string): void {
    this.#guesses.push({ id, token: this.#tokenFor(token) })
    // The log stays sorted, even if the clock was set back.
    this.#instants.push(Math.max(at.getTime(), this.newest))
    const tooMany = this.#guesses.length - logLengthFor(memoryOf(budgets))
    if (tooMany > 0) for (const list of [this.#guesses, this.#instants]) list.splice(0, tooMany)
  }

  remove(id: string): void {
    const place = this.#guesses.findLastIndex((guess) => guess.id === id)
    if (place < 0) return
    for (const list of [this.#guesses, this.#instants]) list.splice(place, 1)
  }

  #tokenFor(token: string | undefined): string {
    if (token === undefined) return anyToken
    const apart = new Set(this.#guesses.map((guess) => guess.token))
    apart.delete(anyToken)
    return apart.has(token) || apart.size < mostTokensApart ? token : anyToken
  }
}
