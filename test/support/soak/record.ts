import type { Excuses, RefusedCall } from './excuses.js'

/** Something that may not happen. */
export interface Failure {
  readonly at: number
  readonly from: number
  readonly what: string
}

/** What the soak has seen so far. */
export class SoakRecord {
  readonly served = new Map<string, number>()
  /** By lane, refusal and excuse. */
  readonly excused = new Map<string, number>()
  readonly bad = new Map<string, number>()
  readonly disturbances = new Map<string, number>()
  /** In milliseconds from the end of a disturbance to the first good call that was served, the longest, by kind. */
  readonly recovery = new Map<string, number>()
  readonly failures: Failure[] = []
  readonly aborted = new Map<string, number>()
  /** What was done to the processes, and when: the latest. */
  readonly done: { readonly at: number; readonly text: string }[] = []
  /** Bad calls that the agent's clock made good ones. */
  readonly madeGood = new Set<string>()
  readonly #excuses: Excuses
  readonly #waiting = new Map<string, Set<(startedAt: number) => void>>()

  constructor(excuses: Excuses) {
    this.#excuses = excuses
  }

  fail(what: string, from = Date.now()): void {
    this.failures.push({ at: Date.now(), from, what })
  }

  note(text: string): void {
    this.done.push({ at: Date.now(), text })
  }

  serve(lane: string, startedAt: number): void {
    add(this.served, lane)
    for (const hear of [...(this.#waiting.get(lane) ?? [])]) hear(startedAt)
  }

  refuse(call: RefusedCall): void {
    const [excuse] = this.#excuses.of(call)
    if (excuse === undefined)
      this.fail(`${call.lane.name}: ${call.refusal} without an excuse: ${call.detail}`, call.from)
    else add(this.excused, `${call.refusal} ${excuse}`)
  }

  /** Resolves to when, once a call of that lane was served that started after an instant; to undefined when it is late. */
  servedAfter(lane: string, instant: number, withinMs: number): Promise<number | undefined> {
    return new Promise((done) => {
      const heard = this.#waiting.get(lane) ?? new Set()
      this.#waiting.set(lane, heard)
      const end = (at: number | undefined): void => {
        clearTimeout(late)
        heard.delete(hear)
        done(at)
      }
      const hear = (startedAt: number): void => {
        if (startedAt >= instant) end(Date.now())
      }
      const late = setTimeout(() => end(undefined), withinMs)
      heard.add(hear)
    })
  }
}

export function add(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
