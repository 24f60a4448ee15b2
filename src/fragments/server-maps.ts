import { TOTPError } from '../core/errors.js'
import { liveOf, liveSharedSeedsOf, requireKnown } from '../core/live-credentials.js'
import { usesProofs } from '../core/proof/profile.js'
import { newestLive, policiesOf, type Roster, type SeedCredential } from '../core/roster.js'
import type { Fragment, ServerInput } from './fragment.js'
import { leftOut, peersWithSeed, withoutCanaries } from './live.js'

/** The dictionaries of the original design, for agents that are configured by hand. */
export const serverMaps: Fragment<ServerInput> = {
  kind: 'json',
  summary: 'plain maps of seeds and tokens, for agents configured by hand',
  secret: true,
  warnings: (input) => [
    'maps cannot represent an overlap: each peer has only its newest seed, without expiry; prefer --format json',
    ...otherProfiles(input),
    ...leftOut(input),
    ...withoutCanaries(input, 'maps cannot hold them, so their use is not reported; use --format json'),
  ],
  make: (input) => {
    const { roster, at } = input
    const peers = peersWithSeed(input)
    refusePolicies(roster)
    const tokens = peers.flatMap((peer) =>
      liveOf(peer.tokens, at).map(({ token }) => [requireKnown(token, peer.name).value, peer.name] as const),
    )
    const shared = newest(liveSharedSeedsOf(roster, at), at)
    return {
      ...(shared
        ? { shared_seed: shared }
        : { peer_seeds: Object.fromEntries(peers.map((peer) => [peer.name, newest(peer.seeds, at)])) }),
      token_to_peer: Object.fromEntries(tokens),
    }
  },
}

/** @throws {TOTPError} `ERR_CONFIG_INVALID`: an agent with only the maps would accept a code twice, or without a proof. */
function refusePolicies(roster: Roster): void {
  for (const peer of roster.peers.values()) {
    const { replay, signed } = policiesOf(roster, peer)
    const policy = replay === 'once' ? 'replay policy once' : usesProofs(signed) && `signed policy ${signed}`
    if (policy === false) continue
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `maps cannot express the ${policy} of ${peer.name}; use --format json`,
    )
  }
}

/** Returns a warning for each peer whose codes an agent with only the maps would refuse. */
function otherProfiles(input: ServerInput): string[] {
  const { profile } = input.roster
  return peersWithSeed(input)
    .filter((peer) => codeFields.some((field) => peer[field] !== profile[field]))
    .map(({ name }) => `maps cannot represent that "${name}" has its own algorithm, digits or period`)
}

const codeFields = ['algorithm', 'digits', 'period'] as const

function newest(seeds: readonly SeedCredential[] | undefined, at: Date): string | undefined {
  return seeds && newestLive(seeds, at)?.seed.base32
}
