import { withoutPeers } from './provision.js'
import { newestLive, policiesOf, type Peer, type RemovedPeer, type Roster } from './roster.js'

/** Which removal is meant: a name may have been removed twice. */
export type RemovedEntry = Pick<RemovedPeer, 'name' | 'removedAt'>

/**
 * Returns the roster with peers and canaries removed: all of them or none. The newest live seed and token of each peer are
 * kept among the removed, so that a probe can show that the agent refuses them. Nothing is kept of a peer whose token is
 * known by its hash alone, that has no live seed of its own or no live token, and of canaries.
 *
 * @throws {TOTPError} `ERR_PEER_UNKNOWN` when there is neither a peer nor a canary with some of the names
 */
export function withRemoved(roster: Roster, names: readonly string[], at: Date): Roster {
  const rest = withoutPeers(roster, names)
  const kept = [...new Set(names)].flatMap((name) => {
    const peer = roster.peers.get(name)
    return (peer && keptOf(roster, peer, at)) ?? []
  })
  return kept.length === 0 ? rest : { ...rest, removed: [...(roster.removed ?? []), ...kept] }
}

/**
 * Returns the roster without some of the removed peers.
 *
 * @returns the same object when none of them is there
 */
export function withForgotten(roster: Roster, entries: readonly RemovedEntry[]): Roster {
  const { removed = [], ...rest } = roster
  const left = removed.filter((one) => !entries.some((entry) => isSameRemoval(one, entry)))
  if (left.length === removed.length) return roster
  return left.length === 0 ? rest : { ...rest, removed: left }
}

/**
 * Returns the removed peers whose token is not in use again: a peer may have been removed and imported anew, and the agent
 * then lets its token in. Oldest first.
 */
export function removedOf({ peers, removed = [] }: Roster): RemovedPeer[] {
  if (removed.length === 0) return []
  const present = new Set([...peers.values()].flatMap(({ tokens }) => tokens.map(({ token }) => token.hash)))
  return removed.filter(({ token }) => !present.has(token.token.hash))
}

/** Returns whether both are the same removal. */
export const isSameRemoval = (one: RemovedEntry, other: RemovedEntry): boolean =>
  one.name === other.name && one.removedAt.getTime() === other.removedAt.getTime()

function keptOf(roster: Roster, peer: Peer, at: Date): RemovedPeer | undefined {
  const { name, algorithm, digits, period } = peer
  // A shared seed is still in use by others.
  const seed = roster.sharedSeeds ? undefined : newestLive(peer.seeds, at)
  const token = newestLive(peer.tokens, at)
  if (!seed || token?.token.value === undefined) return undefined
  return { name, algorithm, digits, period, ...policiesOf(roster, peer), removedAt: at, seed, token }
}
