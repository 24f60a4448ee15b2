import { isLive } from '../../core/roster.js'
import { codeGenerator, timeStepAt } from '../../core/totp.js'
import { lateCodeMs, type LateCode } from '../../state/state.js'
import type { SchemePeer, SchemeSeed } from './peers.js'

/** So many codes are computed in one go: far less than a tenth of a millisecond. */
const codesATime = 10

/** A late code, and whose it is. */
export interface FoundLateCode extends LateCode {
  readonly seedId: string
}

/**
 * Tells late codes from guesses. Keeps the codes that it has computed, so that a burst of guesses costs as much as one:
 * keep it only while there are guesses to look at.
 */
export class LateCodes {
  readonly #codes = new Map<SchemeSeed, Map<number, string>>()

  #codesOf(seed: SchemeSeed): Map<number, string> {
    const known = this.#codes.get(seed) ?? new Map<number, string>()
    this.#codes.set(seed, known)
    return known
  }

  /**
   * Searches for the time step of a live seed, just outside of the window, that a code belongs to; the nearest, and past
   * ones first. Always compares all of them, so that the time does not depend on what is found.
   *
   * A seed has up to 240 such codes, so the search pauses after every few that it computes. It ends with undefined if
   * the code is a guess.
   */
  *search(peer: SchemePeer, code: string, at: Date): Generator<void, FoundLateCode | undefined> {
    const now = timeStepAt(peer.profile, at)
    const seeds = peer.seeds.filter((seed) => isLive(seed, at))
    const sources = seeds.map((seed) => ({
      id: seed.id,
      known: this.#codesOf(seed),
      codeOf: codeGenerator(seed.seed, peer.profile),
    }))
    let computed = 0
    let found: FoundLateCode | undefined
    for (const drift of lateDrifts(peer.profile)) {
      const timeStep = now + drift
      if (timeStep < 0) continue
      for (const { id, known, codeOf } of sources) {
        let own = known.get(timeStep)
        if (own === undefined) {
          if (computed++ === codesATime) {
            yield
            computed = 1
          }
          own = codeOf(timeStep)
          known.set(timeStep, own)
        }
        const equal = own === code
        if (equal) found ??= { seedId: id, timeStep, drift }
      }
    }
    return found
  }
}

/** In time steps: from just outside of the window to 20 minutes further, behind before ahead. */
function lateDrifts({ period, window }: SchemePeer['profile']): number[] {
  const distances = Array.from({ length: Math.floor(lateCodeMs / 1000 / period) }, (_, n) => window + 1 + n)
  return [...distances.map((distance) => -distance), ...distances]
}
