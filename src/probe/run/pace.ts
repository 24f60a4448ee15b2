import type { Cell } from '../target/cells.js'
import { isLimiting, isThrottling, type Answer } from '../wire/answer.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { callerIn, keyOf, type Caller } from './callers.js'
import { Turns } from './turns.js'
import type { Waited } from './throttle-wait.js'

/** A longer Retry-After is not a matter of pace, in seconds. */
const longRetryAfter = 2
/** How long to wait after each throttled answer in a row, in milliseconds. */
const backOffMs = [300, 1000, 2000, 4000, 8000] as const
/**
 * How often one request is sent where nobody but its caller is throttled, and where everybody is. The first takes longer
 * than a second in all, which is what limiters in front count by: until then they are not told from a limit on the token.
 */
const triesOfCaller = 4
const triesOfAll = 6
/** The most time that a run spends on backing off for longer than the first step, in milliseconds. */
const mostBackingOffMs = 120_000

/** The time between two requests: at first, at most, and least. */
const firstIntervalMs = 250
const longestIntervalMs = 2000
const leastIntervalMs = 20
/** After so many answers in a row the time between requests gets shorter. */
const answersPerStep = 4

interface Settings {
  readonly token: string
  /** The most requests in a second. */
  readonly rate?: number | undefined
  readonly pause: (ms: number) => Promise<void>
  /** The run's one wait for a Retry-After. */
  readonly wait: (answer: Answer) => Promise<Waited>
  readonly announce: (text: string) => void
}

/** A request as the pace sees it. */
export interface Paced {
  readonly cell: Cell | null
  readonly fields: readonly FieldLine[]
  /** Set if a throttled answer is what the request is about. */
  readonly once?: boolean
  readonly ask: () => Promise<Answer>
  /** Takes each answer. It is superseded if the same is asked again. */
  readonly keep: (answer: Answer, superseded: boolean) => void
}

/**
 * Decides when requests are sent. At first there may be many at a time. From the first throttled answer on there is one
 * at a time, and the time between two of them grows with each throttled answer and shrinks while there is none. What was
 * throttled is asked again, but not for ever: a limit on one token lasts longer than a limit on requests.
 */
export class Pace {
  readonly #turns = new Turns()
  readonly #leastMs: number
  #intervalMs: number
  /** An interval that was too short is not tried again. */
  #floorMs = leastIntervalMs
  #lastSent = -Infinity
  #slot: Promise<void> = Promise.resolve()
  #slow = false
  /** Throttled answers in a row, and when the last one came. */
  #row = 0
  #throttledAt = -Infinity
  #answersInRow = 0
  #backedOffMs = 0
  #answered = 0
  readonly #begun = performance.now()
  #waitEnded = -Infinity
  /** How many answers there were when the run's wait ended. */
  #answeredBefore: number | undefined
  #helped = false
  readonly #throttled = new Set<Caller>()
  readonly #givenUp = new Set<string>()

  constructor(private readonly settings: Settings) {
    this.#leastMs = settings.rate === undefined ? 0 : 1000 / settings.rate
    this.#intervalMs = this.#leastMs
  }

  /** What to tell the reader of a report, if something limits requests. */
  get remark(): string | undefined {
    if (!this.#helped) return undefined
    const perSecond = 1000 / Math.max(this.#intervalMs, 1)
    const pace =
      perSecond >= 1 ? `${Math.round(perSecond)} a second` : `one in ${(1 / perSecond).toFixed(1)} s`
    return `something limits requests; the run slowed down to about ${pace}`
  }

  /** About how long so many requests of each cell take, with some time to spare, in milliseconds. */
  timeFor(requests: number, cells: number, meanMs: number): number {
    if (!this.#turns.isSingle)
      return 2 * meanMs * Math.ceil(requests / 2) + requests * cells * this.#intervalMs
    return requests * cells * Math.max(1.2 * meanMs, 1.2 * this.#intervalMs)
  }

  /** Sends a request when it is its turn, and again while it is throttled and that may help. */
  async send(paced: Paced): Promise<Answer> {
    await this.#turns.take()
    try {
      for (let tries = 1; ; tries++) {
        await this.#nextSlot()
        const wasSlow = this.#slow
        const sentAt = performance.now()
        const answer = await paced.ask()
        const again = isThrottling(answer)
          ? await this.#throttledAgain(paced, answer, { tries, wasSlow, sentAt })
          : this.#wasAnswered(paced, tries)
        paced.keep(answer, again)
        if (!again) return answer
      }
    } finally {
      this.#turns.giveBack()
    }
  }

  /** Requests are sent apart by the interval, whichever cell and connection they belong to. */
  async #nextSlot(): Promise<void> {
    if (this.#intervalMs === 0) return
    const mine = this.#slot.then(async () => {
      const ms = this.#lastSent + this.#intervalMs - performance.now()
      if (ms > 0) await this.settings.pause(Math.ceil(ms))
      this.#lastSent = performance.now()
    })
    this.#slot = mine
    await mine
  }

  #wasAnswered({ cell, fields }: Paced, tries: number): false {
    this.#answered += 1
    this.#row = 0
    this.#givenUp.delete(keyOf(cell, callerIn(fields, this.settings.token)))
    if (tries > 1 && !this.#helped) {
      this.#helped = true
      this.settings.announce('something limits requests: the run slows down')
    }
    if (this.#slow && ++this.#answersInRow >= answersPerStep) {
      this.#answersInRow = 0
      this.#intervalMs = Math.max(this.#floorMs, this.#leastMs, this.#intervalMs * 0.75)
    }
    return false
  }

  /** Whether a throttled request is to be sent again, after the time that this takes. */
  async #throttledAgain(
    { cell, fields, once = false }: Paced,
    answer: Answer,
    { tries, wasSlow, sentAt }: { tries: number; wasSlow: boolean; sentAt: number },
  ): Promise<boolean> {
    if (once) return false
    const caller = callerIn(fields, this.settings.token)
    const key = keyOf(cell, caller)
    const isLong = (answer.retryAfter ?? 0) > longRetryAfter
    if (!isLong && this.#isKnownLimitOn(caller, key)) return false
    if (!isLong) this.#throttled.add(caller)
    this.#slowDown(isLong, wasSlow)
    // Those that were under way together take turns from here on.
    await this.#turns.takeAgain()
    if (isLong) return this.#waitForAll(answer, caller, { tries, sentAt })
    if (this.#givenUp.has(key)) return false
    if (tries >= this.#mostTries(answer, caller)) {
      this.#givenUp.add(key)
      if (this.#isOnlyOn(caller)) this.#resume()
      return false
    }
    await this.#backOff(answer)
    return true
  }

  #slowDown(isLong: boolean, wasSlow: boolean): void {
    this.#turns.oneAtATime()
    this.#answersInRow = 0
    this.#throttledAt = performance.now()
    // A long wait is asked for by what counts tokens or minutes, for which a pace is no help.
    if (isLong) return
    if (wasSlow) {
      this.#row += 1
      if (this.#row === 1) {
        this.#floorMs = Math.min(longestIntervalMs, Math.max(this.#floorMs, this.#intervalMs * 1.15))
        this.#intervalMs = Math.min(longestIntervalMs, this.#intervalMs * 1.5)
      }
    } else if (!this.#slow) {
      this.#intervalMs = Math.max(this.#leastMs, firstIntervalMs)
    }
    this.#slow = true
  }

  /** The limit is on one token: a pace is of no use. */
  #resume(): void {
    this.#slow = false
    this.#row = 0
    this.#intervalMs = this.#leastMs
  }

  /** Whether it was found out before that this caller alone is throttled: slowing down would delay everything else. */
  #isKnownLimitOn(caller: Caller, key: string): boolean {
    return this.#givenUp.has(key) && this.#throttled.has(caller) && this.#isOnlyOn(caller)
  }

  #isOnlyOn(caller: Caller): boolean {
    return this.#throttled.size === 1 && caller !== 'nobody'
  }

  /** If callers of one kind alone are throttled, the limit is on them and not on the pace. */
  #mostTries(answer: Answer, caller: Caller): number {
    // Nothing has come through since the longest pause.
    if (this.#backedOffMs > mostBackingOffMs || this.#row > backOffMs.length) return 1
    const everybody = this.#throttled.size > 1 || caller === 'nobody'
    if (everybody && isLimiting(answer)) return triesOfAll
    const elsewhere = [...this.#givenUp].some((key) => key.endsWith(` ${caller}`))
    return elsewhere ? triesOfCaller - 1 : triesOfCaller
  }

  async #backOff({ retryAfter = 0 }: Answer): Promise<void> {
    const index = Math.min(Math.max(this.#row - 1, 0), backOffMs.length - 1)
    const wantedMs = Math.max(backOffMs[index] ?? 0, retryAfter * 1000)
    const ms = this.#throttledAt + wantedMs - performance.now()
    if (ms <= 0) return
    if (index > 0) this.#backedOffMs += ms
    await this.settings.pause(Math.ceil(ms))
  }

  /** Waits for a long Retry-After, once a run, where even a caller without credentials is throttled. */
  async #waitForAll(
    answer: Answer,
    caller: Caller,
    { tries, sentAt }: { tries: number; sentAt: number },
  ): Promise<boolean> {
    if (tries >= triesOfCaller) return false
    if (sentAt < this.#waitEnded) return true
    if (caller === 'nobody') this.#throttled.add('nobody')
    if (!this.#throttled.has('nobody')) return false
    const waited = await this.settings.wait(answer)
    if (!('seconds' in waited)) {
      // Nothing came through after the wait: a pace would only make the run longer.
      if (this.#answeredBefore === this.#answered) this.#intervalMs = this.#leastMs
      return false
    }
    this.#waitEnded = performance.now()
    this.#answeredBefore = this.#answered
    // So many were let through in so long.
    const windowMs = this.#waitEnded - this.#begun
    this.#intervalMs = Math.min(longestIntervalMs, (1.1 * windowMs) / Math.max(this.#answered, 1))
    this.#floorMs = Math.max(this.#floorMs, this.#intervalMs)
    this.#slow = true
    return true
  }
}
