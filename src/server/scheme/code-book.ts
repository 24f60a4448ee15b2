import type { CodeProfile } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'
import { codeGenerator, driftsWithin } from '../../core/totp.js'

/** By window. Shared, since they are the same for every seed. */
const driftsByWindow: number[][] = []
const none: readonly number[] = []
/** Equal to no code. */
const noCode = -1

/**
 * The codes that one seed has around now. They stay the same for a whole time step, so each is computed once
 * and compared from then on: a wrong code costs no HMAC.
 *
 * They are kept as whole numbers, of which a processor compares all bits at once: there is no first difference to stop
 * at. As texts or bytes they would be objects of their own all over the memory, which is slower than to compare them.
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
   * The drift at which a code matches, nearest first, or none. Compares all of them, whichever match.
   *
   * @param code the number that the digits of a well-formed code spell
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
