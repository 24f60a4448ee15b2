import type { Lane } from './plant.js'

/** How a good call ended that was not served. */
export type Refusal =
  /** Both factors, or one of them, were not accepted. */
  | '401'
  /** The code was used before: 401 with Retry-After, or no time step is left at the client. */
  | 'spent'
  | '429'
  | '503'
  | '502'
  /** The connection ended before the answer did. */
  | 'cut'
  /** Anything else. */
  | 'other'

/** A good call that was not served. */
export interface RefusedCall {
  readonly lane: Lane
  readonly refusal: Refusal
  readonly detail: string
  readonly from: number
  readonly until: number
  /** Whether its answer had begun. */
  readonly begun: boolean
}

/** A reason that the docs allow for refusals, while it holds. */
export interface Excuse {
  readonly name: string
  readonly from: number
  /** Infinity while it is not known. */
  until: number
  readonly covers: (call: RefusedCall) => boolean
}

/** Reasons that hold now, or held lately. */
export class Excuses {
  #all: Excuse[] = []

  open(name: string, covers: Excuse['covers'], until = Infinity): Excuse {
    const excuse = { name, from: Date.now(), until, covers }
    this.#all = this.#all.filter((old) => old.until > Date.now() - 300_000)
    this.#all.push(excuse)
    return excuse
  }

  /** The names of those that hold for the call, in their order. */
  of(call: RefusedCall): string[] {
    return this.#all
      .filter(({ from, until, covers }) => call.from <= until && call.until >= from && covers(call))
      .map(({ name }) => name)
  }

  /** Whether one of that kind held at any time between. */
  held(name: string, from: number, until: number): boolean {
    return this.#all.some((one) => one.name === name && one.from <= until && one.until >= from)
  }
}
