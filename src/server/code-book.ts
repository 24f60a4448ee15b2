import { timingSafeEqual } from 'node:crypto'
import type { CodeProfile } from '../core/profile.js'
import type { Seed } from '../core/seed.js'
import { driftsWithin, generateCodeOfStep } from '../core/totp.js'

/**
 * The codes that one seed has around now. They stay the same for a whole time step, so each is computed once
 * and compared from then on: a wrong code costs no HMAC.
 */
export class CodeBook {
  readonly #seed: Seed
  readonly #profile: CodeProfile
  readonly #drifts: readonly number[]
  #timeStep = NaN
  #codes = new Map<number, Buffer>()

  constructor(seed: Seed, profile: CodeProfile & { readonly window: number }) {
    this.#seed = seed
    this.#profile = profile
    this.#drifts = driftsWithin(profile.window)
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
    for (const drift of this.#drifts) {
      const own = this.#codes.get(timeStep + drift)
      const equal = own !== undefined && timingSafeEqual(own, code)
      if (equal) match ??= drift
    }
    return match
  }

  #turnTo(timeStep: number): void {
    const codes = new Map<number, Buffer>()
    for (const drift of this.#drifts) {
      const step = timeStep + drift
      if (step < 0) continue
      codes.set(
        step,
        this.#codes.get(step) ?? Buffer.from(generateCodeOfStep(this.#seed, this.#profile, step)),
      )
    }
    this.#codes = codes
    this.#timeStep = timeStep
  }
}
