import { TOTPError } from '../../core/errors.js'
import { hmacKeyOf } from '../../core/seed-digest.js'
import { quoteName } from '../../core/name.js'
import type { CodeProfile } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'

interface SeedOwner {
  readonly name: string
  readonly profile: CodeProfile
  readonly seeds: readonly { readonly seed: Seed }[]
}

/**
 * Requires that no peer has a seed twice, and that a seed which several peers have makes the same codes for all of them.
 * Otherwise a code that was used could be used again: claims belong to the seed and to its time steps.
 *
 * @returns whether several peers have the same seed
 * @throws {TOTPError} `ERR_CONFIG_INVALID`, without an id or a value of the seed.
 */
export function requireDistinctSeeds(peers: Iterable<SeedOwner>): { readonly shared: boolean } {
  const owners = new Map<string, SeedOwner>()
  let shared = false
  for (const peer of peers) {
    const { algorithm } = peer.profile
    for (const { seed } of peer.seeds) {
      // Of a seed longer than a block, the key that HMAC makes is another seed with the same codes.
      for (const key of new Set([seed.base32.replace(/A+$/, ''), hmacKeyOf(seed, algorithm)])) {
        const owner = owners.get(key)
        if (owner === peer) throw invalid(peer, 'two of its seeds are the same; list each seed once')
        if (owner && !makeSameCodes(owner, peer)) {
          throw invalid(
            peer,
            `it has a seed of peer ${quoteName(owner.name)} with another algorithm, digits or period; use a seed of its own`,
          )
        }
        shared ||= owner !== undefined
        owners.set(key, peer)
      }
    }
  }
  return { shared }
}

function makeSameCodes({ profile: one }: SeedOwner, { profile: other }: SeedOwner): boolean {
  return one.algorithm === other.algorithm && one.digits === other.digits && one.period === other.period
}

function invalid({ name }: SeedOwner, words: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `peer ${quoteName(name)}: ${words}`)
}
