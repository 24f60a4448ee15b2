import { lateCodeMs, type LateCode } from './state.js'

interface Sighting {
  readonly timeStep: number
  /** In milliseconds. */
  readonly at: number
}

/**
 * Remembers codes ahead of the window, to recognise a peer whose clock is ahead. Only who has the seed can make one, so
 * guessers do not fill it.
 */
export class CodesAhead {
  /** By peer, with its first seed, the newest sighting at each drift. */
  readonly #peers = new Map<string, Map<number, Sighting>>()

  /**
   * Notes a code ahead.
   *
   * @param peer names the peer and its first seed: peers of two agents may have the same name
   * @param at now, in milliseconds
   * @returns whether an earlier code of that peer had the same drift, ± 1, within the last 20 minutes
   */
  expected(peer: string, { drift, timeStep }: LateCode, at: number): boolean {
    const sightings = this.#peers.get(peer) ?? new Map<number, Sighting>()
    this.#peers.set(peer, sightings)
    const expected = [drift - 1, drift, drift + 1].some((near) => {
      const seen = sightings.get(near)
      return seen && seen.timeStep < timeStep && isRecent(seen, at)
    })
    sightings.set(drift, { timeStep, at })
    return expected
  }

  sweep(at: number): void {
    for (const [peer, sightings] of this.#peers) {
      for (const [drift, seen] of sightings) if (!isRecent(seen, at)) sightings.delete(drift)
      if (sightings.size === 0) this.#peers.delete(peer)
    }
  }
}

function isRecent(seen: Sighting, at: number): boolean {
  return Math.abs(at - seen.at) <= lateCodeMs
}
