/** What ends a run whose time is over. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

/** The time limit of a run. Without one it never passes. */
export class Deadline {
  readonly #passed: Promise<never>
  readonly #stop = new AbortController()
  #pass: () => void = () => undefined
  #timer: NodeJS.Timeout | undefined
  readonly #endsAt: number

  constructor(private readonly ms: number | undefined) {
    this.#endsAt = ms === undefined ? Infinity : performance.now() + ms
    this.#passed = new Promise((_, reject) => {
      this.#pass = () => {
        this.#stop.abort()
        reject(new DeadlinePassed())
      }
      if (ms !== undefined) this.#timer = setTimeout(this.#pass, ms)
    })
    // Nobody may be waiting when it passes.
    this.#passed.catch(() => undefined)
  }

  /** In words, for a report. */
  get text(): string {
    return `the deadline of ${(this.ms ?? 0) / 1000} s`
  }

  get passed(): boolean {
    return this.#stop.signal.aborted
  }

  /** Aborts when the run ends, by the deadline or before. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Whether a wait of so many milliseconds ends in time. */
  fits(ms: number): boolean {
    return performance.now() + ms <= this.#endsAt
  }

  /** Passes now: what comes next would not end in time. */
  pass(): void {
    this.#pass()
  }

  /** @throws {DeadlinePassed} when the time is over before the work is done; it is then left alone */
  within<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#passed])
  }

  /** The run is over: waits that go on are cut. */
  end(): void {
    clearTimeout(this.#timer)
    this.#stop.abort()
  }
}
