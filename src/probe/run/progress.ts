import type { ProbeOptions, ProbeProgress } from '../options.js'

/** Counts the answers of a run, and tells the caller of each one and of each wait. */
export class Progress {
  #done = 0
  #planned: number | undefined
  readonly #waits = new Set<Pick<ProbeProgress, 'waitingUntil' | 'what'>>()

  constructor(private readonly options: Pick<ProbeOptions, 'now' | 'progress'>) {}

  /** Sets about how many requests there will be. */
  plan(requests: number): void {
    this.#planned = requests
  }

  /** One more request was answered. */
  answered(): void {
    this.#done += 1
    this.#tell()
  }

  /** Tells of a wait when it begins and when it ends. */
  async during(ms: number, what: string | undefined, sleep: (ms: number) => Promise<void>): Promise<void> {
    const wait = {
      waitingUntil: new Date(this.options.now().getTime() + ms),
      ...(what === undefined ? {} : { what }),
    }
    this.#waits.add(wait)
    this.#tell()
    try {
      await sleep(ms)
    } finally {
      this.#waits.delete(wait)
      this.#tell()
    }
  }

  #tell(): void {
    const planned = this.#planned === undefined ? {} : { planned: Math.max(this.#planned, this.#done) }
    const [wait] = this.#waits
    this.options.progress?.({ done: this.#done, ...planned, ...wait })
  }
}
