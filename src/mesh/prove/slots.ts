import { setTimeout as realSleep } from 'node:timers/promises'

/** Bounds how many runs are under way. One that waits for a time step gives its place to another meanwhile. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    await new Promise<void>((next) => this.#waiting.push(next))
  }

  /** The same for a run that was under way already: before those that have not begun. */
  async takeAgain(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    await new Promise<void>((next) => this.#waiting.unshift(next))
  }

  giveBack(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free += 1
  }

  /** Does work in a place, and hands it a way to wait outside. */
  async during<T>(work: (sleep: Sleep) => Promise<T>, sleep?: Sleep): Promise<T> {
    await this.take()
    const place = new Place(this, sleep)
    try {
      return await work((ms) => place.sleep(ms))
    } finally {
      place.leave()
    }
  }
}

export type Sleep = (ms: number) => Promise<void>

/** The place of one run, several parts of which may wait at a time. */
class Place {
  readonly #end = new AbortController()
  #asleep = 0
  #isHeld = true
  #taking: Promise<void> | undefined

  constructor(
    private readonly slots: Slots,
    private readonly given: Sleep | undefined,
  ) {}

  async sleep(ms: number): Promise<void> {
    this.#asleep += 1
    if (this.#asleep === 1 && this.#isHeld) {
      this.#isHeld = false
      this.slots.giveBack()
    }
    try {
      await (this.given ?? this.#inRealTime)(ms)
    } finally {
      // A run that is over, by its deadline, wants none back.
      this.#asleep -= 1
      if (!this.#isHeld && !this.#end.signal.aborted) {
        this.#taking ??= this.#takeAgain()
        await this.#taking
      }
    }
  }

  async #takeAgain(): Promise<void> {
    await this.slots.takeAgain()
    this.#taking = undefined
    if (this.#end.signal.aborted) this.slots.giveBack()
    else this.#isHeld = true
  }

  leave(): void {
    this.#end.abort()
    if (!this.#isHeld) return
    this.#isHeld = false
    this.slots.giveBack()
  }

  readonly #inRealTime: Sleep = async (ms) => {
    await realSleep(ms, undefined, { signal: this.#end.signal }).catch(() => undefined)
  }
}

/** Keeps what has a key in common apart: no two runs are under way with one seed. */
export class Locks {
  readonly #last = new Map<string, Promise<unknown>>()

  async during<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = [...new Set(keys)].flatMap((key) => this.#last.get(key) ?? [])
    const mine = (async () => {
      await Promise.allSettled(before)
      return work()
    })()
    for (const key of keys) this.#last.set(key, mine)
    return mine
  }
}
