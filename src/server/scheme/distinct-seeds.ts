import { TOTPError } from '../../core/errors.js'
import { hmacKeyOf } from '../../core/seed-digest.js'
import { makeSameCodes, mayShareSeed, sharedOnce } from '../../core/shared-seed.js'
import { quoteName } from '../../core/name.js'
import type { CodeProfile, ReplayPolicy } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'

interface SeedOwner {
  readonly name: string
  readonly profile: CodeProfile
  readonly replay: ReplayPolicy
  readonly seeds: readonly { readonly seed: Seed }[]
}

/**
 * Requires that no peer has a seed twice, and that a seed which several peers have makes the same codes for all of them,
 * under a policy that allows to share it. Otherwise a code that was used could be used again: claims belong to the seed and
 * to its time steps.
 *
 * @returns the names of the peers that have a seed of another
 * @throws {TOTPError} `ERR_CONFIG_INVALID`, without an id or a value of the seed.
 */
export function requireDistinctSeeds(peers: Iterable<SeedOwner>): ReadonlySet<string> {
  const owners = new Map<string, SeedOwner>()
  const sharing = new Set<string>()
  for (const peer of peers) {
    const { algorithm } = peer.profile
    for (const { seed } of peer.seeds) {
      // Of a seed longer than a block, the key that HMAC makes is another seed with the same codes.
      for (const key of new Set([seed.base32.replace(/A+$/, ''), hmacKeyOf(seed, algorithm)])) {
        const owner = owners.get(key)
        if (owner === peer) throw invalid(peer, 'two of its seeds are the same; list each seed once')
        if (owner && !makeSameCodes(owner.profile, peer.profile)) {
          throw invalid(
            peer,
            `it has a seed of peer ${quoteName(owner.name)} with another algorithm, digits or period; use a seed of its own`,
          )
        }
        if (owner && !(mayShareSeed(owner) && mayShareSeed(peer))) {
          throw invalid(
            peer,
            `it has a seed of peer ${quoteName(owner.name)}: ${sharedOnce}; use a seed of its own`,
          )
        }
        if (owner) for (const { name } of [owner, peer]) sharing.add(name)
        owners.set(key, peer)
      }
    }
  }
  return sharing
}

function invalid({ name }: SeedOwner, words: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `peer ${quoteName(name)}: ${words}`)
}
