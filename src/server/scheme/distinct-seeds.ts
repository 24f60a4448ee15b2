import { TOTPError } from '../../core/errors.js'
import { seedKeysOf } from '../../core/seed-digest.js'
import { repeatedSeedProblem, type SeedUse } from '../../core/shared-seed.js'
import { quoteName } from '../../core/name.js'
import type { Seed } from '../../core/seed.js'

interface SeedOwner extends SeedUse {
  readonly name: string
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
      for (const key of seedKeysOf(seed, algorithm)) {
        const owner = owners.get(key)
        if (owner === peer) throw invalid(peer, 'two of its seeds are the same; list each seed once')
        const problem = owner && repeatedSeedProblem(owner, peer)
        if (owner && problem !== undefined)
          throw invalid(
            peer,
            `it has a seed of peer ${quoteName(owner.name)}${problem}; use a seed of its own`,
          )
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
