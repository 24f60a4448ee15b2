/** From when to when a clock was ahead by so much; until is Infinity for what is in force. */
interface Setting {
  readonly aheadMs: number
  readonly from: number
  until: number
}

/** A clock that is set now and then, with what it showed when. The instants are of the real clock, in milliseconds. */
export class SetClock {
  readonly #apply: (aheadMs: number) => Promise<void>
  readonly #settings: Setting[] = [{ aheadMs: 0, from: 0, until: Infinity }]

  constructor(apply: (aheadMs: number) => Promise<void> = () => Promise.resolve()) {
    this.#apply = apply
  }

  get aheadMs(): number {
    return this.#settings.at(-1)?.aheadMs ?? 0
  }

  readonly now = (): Date => new Date(Date.now() + this.aheadMs)

  async set(aheadMs: number): Promise<void> {
    const before = this.#settings.at(-1)
    this.#settings.push({ aheadMs, from: Date.now(), until: Infinity })
    await this.#apply(aheadMs)
    // On the way either of them may be in force.
    if (before) before.until = Date.now()
    if (this.#settings.length > 500) this.#settings.splice(0, 250)
  }

  /** By how much it was ahead at any time between two instants; there is at least one. */
  aheadBetween(from: number, until: number): number[] {
    return this.#settings
      .filter((setting) => setting.from <= until && setting.until >= from)
      .map(({ aheadMs }) => aheadMs)
  }

  /** What it may have shown between two instants, from the earliest to the latest. */
  shownBetween(from: number, until: number): { earliest: number; latest: number } {
    const ahead = this.aheadBetween(from, until)
    return { earliest: from + Math.min(...ahead), latest: until + Math.max(...ahead) }
  }
}

/** The largest difference of two clocks at any time between two instants, in milliseconds. */
export function differenceBetween(one: SetClock, other: SetClock, from: number, until: number): number {
  const differences = one
    .aheadBetween(from, until)
    .flatMap((ahead) => other.aheadBetween(from, until).map((otherAhead) => Math.abs(ahead - otherAhead)))
  return Math.max(0, ...differences)
}
