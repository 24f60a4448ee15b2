import { timingSafeEqual } from 'node:crypto'
import type { CodeProfile } from '../core/profile.js'
import type { Seed } from '../core/seed.js'
import { codeGenerator, driftsWithin } from '../core/totp.js'

/** By window. Shared, since they are the same for every seed. */
const driftsByWindow: number[][] = []
const none: readonly Buffer[] = []

/**
 * The codes that one seed has around now. They stay the same for a whole time step, so each is computed once
 * and compared from then on: a wrong code costs no HMAC.
 */
export class CodeBook {
  readonly #codeOf: (timeStep: number) => string
  readonly #drifts: readonly number[]
  #timeStep = NaN
  /** In the order of `#drifts`; none for a time step before the first. */
  #codes: readonly (Buffer | undefined)[] = none

  constructor(seed: Seed, profile: CodeProfile & { readonly window: number }) {
    this.#codeOf = codeGenerator(seed, profile)
    this.#drifts = driftsByWindow[profile.window] ??= driftsWithin(profile.window)
  }

  /**
   * The drift at which a code matches, nearest first, or none. Compares all of them, in constant time.
   *
   * @param code ASCII digits, as many as the profile says
   * @param timeStep the current one
   */
  match(code: Buffer, timeStep: number): number | undefined {
    if (timeStep !== this.#timeStep) this.#turnTo(timeStep)
    let match: number | undefined
    for (let place = 0; place < this.#drifts.length; place++) {
      const own = this.#codes[place]
      const equal = own !== undefined && timingSafeEqual(own, code)
      if (equal) match ??= this.#drifts[place]
    }
    return match
  }

  #turnTo(timeStep: number): void {
    this.#codes = this.#drifts.map((drift) => {
      const step = timeStep + drift
      if (step < 0) return undefined
      const before = this.#codes[this.#drifts.indexOf(step - this.#timeStep)]
      return before ?? Buffer.from(this.#codeOf(step))
    })
    this.#timeStep = timeStep
  }
}
