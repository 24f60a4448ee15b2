import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import { isLive, policiesOf, type Peer, type Roster, type SeedCredential } from './roster.js'
import { seedKeysOf } from './seed-digest.js'
import { repeatedSeedProblem, type SeedUse } from './shared-seed.js'
import { listSome } from './text.js'

/** A peer with its seeds, and what decides whether it may share them. */
export interface SeedOwner extends SeedUse {
  readonly name: string
  readonly seeds: readonly SeedCredential[]
}

export function ownerOf(roster: Roster, peer: Peer): SeedOwner {
  return { name: peer.name, profile: peer, ...policiesOf(roster, peer), seeds: peer.seeds }
}

/** Whose each seed is, for seeds that are brought along and may be another peer's. */
export class SeedOwners {
  readonly #at: Date
  readonly #owners = new Map<string, SeedOwner>()

  /** @param at seeds that have ended by then are nobody's */
  constructor(roster: Roster, at: Date) {
    this.#at = at
    for (const peer of roster.peers.values()) this.#note(ownerOf(roster, peer))
  }

  /**
   * Adds a peer with its seeds.
   *
   * @returns whether another peer has one of them: an agent takes that, but each can make the codes of the other
   * @throws {TOTPError} `ERR_SEED_INVALID` where an agent would refuse the two; the peer is not added
   */
  add(peer: SeedOwner): boolean {
    const others = this.#keysOf(peer)
      .flatMap((key) => this.#owners.get(key) ?? [])
      .filter(({ name }) => name !== peer.name)
    for (const other of others) {
      const problem = repeatedSeedProblem(other, peer)
      if (problem !== undefined)
        throw new TOTPError(
          'ERR_SEED_INVALID',
          `${quoteName(peer.name)} has a seed of peer ${quoteName(other.name)}${problem}; use a seed of its own`,
        )
    }
    this.#note(peer)
    return others.length > 0
  }

  #note(peer: SeedOwner): void {
    for (const key of this.#keysOf(peer)) this.#owners.set(key, peer)
  }

  #keysOf({ seeds, profile }: SeedOwner): string[] {
    return seeds
      .filter((one) => isLive(one, this.#at))
      .flatMap(({ seed }) => [...seedKeysOf(seed, profile.algorithm)])
  }
}

/** Says what it means that peers have seeds of others. */
export function repeatedSeedWarning(names: readonly string[]): string {
  return (
    `${listSome(names)} ${names.length === 1 ? 'has a seed' : 'have seeds'} that another peer has too, so each can make the ` +
    `codes of the other; run a2a-totp rotate ${names.length === 1 ? listSome(names) : 'NAME'}`
  )
}
