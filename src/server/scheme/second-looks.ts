import { randomInt } from 'node:crypto'
import type { LateCode, State } from '../../state/state.js'
import type { CountedGuess } from './decision.js'
import { codeStale, compromiseSuspected, emit, emitLater, type EventBase, type OnEvent } from './events.js'
import { LateCodes, type FoundLateCode } from './late-codes.js'

/** So many guesses wait at one budget; further ones stay counted. */
const mostAtABudget = 100
/** So many wait at all budgets together, beside the first one of each. */
const mostLooks = 1000
/** So many budgets have guesses that wait. */
const mostBudgets = 1000
/** A state that does not answer in this time has not taken the guess back. */
const takeBackMs = 2000

/** A guess that waits for its second look. */
interface Look {
  readonly guess: CountedGuess
  /** Of its request. */
  readonly base: EventBase
  /** Whether an earlier guess was taken back since it was counted: then it no longer exhausts its budget. */
  reopened: boolean
}

/** The guesses that wait at one budget, in the order in which they were counted. The first one is being looked at. */
type Lane = Look[]

/**
 * Looks at each counted guess again, after its request was answered: is it a late code rather than a guess? A peer whose
 * clock is wrong sends such codes all day, and is no thief. Takes such a guess back where the state allows it. Suspects
 * somebody only when a guess exhausted a budget, is none of those, and the budget is still exhausted.
 *
 * A look computes hundreds of codes. On the way to the answer, or right after it, the time would tell that the token is
 * live, and many at once would stall the process. So each look begins a random moment later, all of them take turns of a
 * few codes with requests in between, and only so many wait.
 */
export class SecondLooks {
  /** Begins a look some milliseconds later, which keeps no process alive. Tests replace it. */
  static later: (begin: () => void) => unknown = (begin) => setTimeout(begin, randomInt(1, 6)).unref()

  /** At how many budgets guesses are being looked at in this process. Tests wait until there is none. */
  static underWay = 0

  readonly #state: State
  readonly #onEvent: OnEvent
  readonly #turns = new Turns()
  /** By the seeds: whoever shares them shares a budget. */
  readonly #lanes = new Map<string, Lane>()
  #waiting = 0

  constructor(state: State, onEvent: OnEvent) {
    this.#state = state
    this.#onEvent = onEvent
  }

  /** Adds a guess, as soon as it was counted. Without room for it, it stays counted. */
  add(guess: CountedGuess, base: EventBase): void {
    const seeds = guess.attempt.seeds.join()
    const lane = this.#lanes.get(seeds)
    const hasRoom = lane
      ? lane.length < mostAtABudget && this.#waiting < mostLooks
      : this.#lanes.size < mostBudgets
    if (!hasRoom) {
      if (guess.tripped) emitLater(this.#onEvent, () => compromiseSuspected(guess.peer.name, base))
      return
    }
    const look: Look = { guess, base, reopened: false }
    if (lane) {
      lane.push(look)
      this.#waiting++
      return
    }
    const begun: Lane = [look]
    this.#lanes.set(seeds, begun)
    void this.#lookAtAll(begun).finally(() => this.#lanes.delete(seeds))
  }

  /** Never rejects. */
  async #lookAtAll(lane: Lane): Promise<void> {
    SecondLooks.underWay++
    const codes = new LateCodes()
    for (let look = lane[0]; look; look = lane[0]) {
      await new Promise<void>(SecondLooks.later)
      await this.#lookAt(look, lane, codes)
      lane.shift()
      if (lane.length > 0) this.#waiting--
    }
    SecondLooks.underWay--
  }

  async #lookAt(look: Look, lane: Lane, codes: LateCodes): Promise<void> {
    const { guess, base } = look
    const { name } = guess.peer
    const late = await this.#find(guess, codes)
    // Before the state is asked, which may take its time.
    if (late) emit(this.#onEvent, codeStale(name, late, base))
    const earlier = lane.length
    if (late && (await takeBack(this.#state, guess, late))) {
      for (const other of lane.slice(0, earlier)) other.reopened = true
    } else if (guess.tripped && !look.reopened) {
      emit(this.#onEvent, compromiseSuspected(name, base))
    }
  }

  async #find(
    { peer, code, attempt: { at } }: CountedGuess,
    codes: LateCodes,
  ): Promise<FoundLateCode | undefined> {
    const search = codes.search(peer, code, at)
    for (;;) {
      await this.#turns.next()
      const { done, value } = search.next()
      if (done) return value
    }
  }
}

/** Whether the state took the guess back. A state of the user's own may throw, return anything, or never answer. */
async function takeBack(state: State, { attempt }: CountedGuess, late: LateCode): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const noAnswer = new Promise<false>((done) => {
    timer = setTimeout(done, takeBackMs, false).unref()
  })
  try {
    const { timeStep, drift } = late
    return (await Promise.race([state.takeBack?.(attempt, { timeStep, drift }), noAnswer])) === true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

/** One turn in each round of the event loop, in the order in which they were asked for. */
class Turns {
  readonly #waiting: (() => void)[] = []

  next(): Promise<void> {
    return new Promise((done) => {
      if (this.#waiting.push(done) === 1) setImmediate(() => this.#giveTurn())
    })
  }

  #giveTurn(): void {
    this.#waiting[0]?.()
    this.#waiting.shift()
    if (this.#waiting.length > 0) setImmediate(() => this.#giveTurn())
  }
}
