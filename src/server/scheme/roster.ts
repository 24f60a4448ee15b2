import { canariesOf, replayOf, seedsOf, signedOf, type Roster } from '../../core/roster.js'
import { requireSharable } from '../../core/shared-seed.js'
import { PeerTokenAuth } from './delegates.js'
import type { PeerSeedsOptions } from './options.js'

/**
 * The options of a scheme for a roster: every peer with its own seeds (or the shared ones), profile and policies; and the
 * canaries.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` when peers share a seed under `once` or with different profiles
 */
export function rosterOptions(
  roster: Roster,
): Pick<PeerSeedsOptions, 'agent' | 'canaries' | 'delegate' | 'peerSeeds' | 'profile' | 'replay' | 'signed'> {
  requireSharable(roster)
  const peers = [...roster.peers.values()]
  return {
    delegate: new PeerTokenAuth(
      peers.flatMap(({ name, tokens }) =>
        tokens.map(({ token, expiresAt }) => ({ peer: name, token: token.hash, expiresAt })),
      ),
    ),
    peerSeeds: new Map(
      peers.map((peer) => {
        const { name, algorithm, digits, period } = peer
        return [
          name,
          {
            algorithm,
            digits,
            period,
            replay: replayOf(roster, peer),
            signed: signedOf(roster, peer),
            seeds: seedsOf(roster, peer),
          },
        ]
      }),
    ),
    canaries: canariesOf(roster).flatMap(({ name, tokens }) =>
      tokens.map(({ id, token }) => ({ name, id, hash: token.hash })),
    ),
    agent: roster.agent,
    profile: roster.profile,
    replay: roster.replay,
    signed: roster.signed ?? 'off',
  }
}
