import type { CodeProfile } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'
import { codeGenerator, driftsWithin } from '../../core/totp.js'

/** The drifts of each window, shared by all seeds. */
const driftsByWindow: number[][] = []
const none: readonly number[] = []
/** Differs from every code. */
const noCode = -1

/**
 * The codes of one seed around the current time step. They stay the same for a whole time step, so each is computed
 * once, and a wrong code costs no HMAC.
 *
 * They are kept as integers: a processor compares all bits of an integer at once, so the time does not depend on the
 * first digit that differs. Strings or bytes would be separate objects all over the memory, and slower to read.
 */
export class CodeBook {
  readonly #codeOf: (timeStep: number) => string
  readonly #drifts: readonly number[]
  #timeStep = NaN
  /** In the order of `#drifts`. */
  #codes: readonly number[] = none

  constructor(seed: Seed, profile: CodeProfile & { readonly window: number }) {
    this.#codeOf = codeGenerator(seed, profile)
    this.#drifts = driftsByWindow[profile.window] ??= driftsWithin(profile.window)
  }

  /**
   * Returns the drift at which a code matches, nearest first. Always compares all of them.
   *
   * @param code the digits of a well-formed code as a number
   * @param timeStep the current one
   */
  match(code: number, timeStep: number): number | undefined {
    if (timeStep !== this.#timeStep) this.#turnTo(timeStep)
    let match: number | undefined
    for (let place = 0; place < this.#drifts.length; place++) {
      const equal = this.#codes[place] === code
      if (equal) match ??= this.#drifts[place]
    }
    return match
  }

  #turnTo(timeStep: number): void {
    this.#codes = this.#drifts.map((drift) => {
      const step = timeStep + drift
      if (step < 0) return noCode
      const before = this.#codes[this.#drifts.indexOf(step - this.#timeStep)]
      return before ?? Number(this.#codeOf(step))
    })
    this.#timeStep = timeStep
  }
}
