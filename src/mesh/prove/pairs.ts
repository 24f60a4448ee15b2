import { removedOf } from '../../core/removed.js'
import type { RemovedPeer, Roster } from '../../core/roster.js'
import type { ProbeCredentials } from '../../probe/index.js'
import type { Mesh, MeshAgent, MeshEdge } from '../file/mesh.js'
import { removedCredentials, standingOf, unsendable, type Standing } from './credentials.js'
import type { Part } from './selection.js'

/** One peer and one agent, and what is known of them. */
export interface Pair {
  readonly peer: string
  readonly agent: MeshAgent
  /** Set where the file declares it. */
  readonly edge?: MeshEdge
  readonly standing: Standing
  /** What the peer was let in with before it was removed. */
  readonly removed: readonly Removed[]
  /** Whether the file says that its time is over. */
  readonly over: boolean
}

export interface Removed {
  readonly entry: RemovedPeer
  /** Undefined where it cannot be sent. */
  readonly credentials: ProbeCredentials | undefined
}

/**
 * Every peer with every agent of a part of the mesh, agents within peers: the peers of the file in its order, those that
 * only stores have, and removed ones last.
 *
 * @param rosters by the agent's name
 * @throws {TOTPError} `ERR_TOKEN_UNKNOWN` for a declared edge whose token is known by its hash alone
 */
export function pairsOf(
  mesh: Mesh,
  rosters: ReadonlyMap<string, Roster>,
  part: Part,
  at: Date,
): readonly Pair[] {
  const pairs = pairsIn(mesh, rosters, part, at)
  for (const { peer, agent, edge, over, standing } of pairs)
    if (edge && !over && standing.kind === 'hash-only') throw unsendable(peer, agent.store)
  return pairs
}

/** The same, whatever cannot be sent. */
export function pairsIn(
  mesh: Mesh,
  rosters: ReadonlyMap<string, Roster>,
  part: Part,
  at: Date,
): readonly Pair[] {
  const declared = new Map(mesh.edges.map((edge) => [`${edge.peer}:${edge.agent}`, edge]))
  const agents = [...mesh.agents.values()]
  const inStores = agents.flatMap(({ name }) => [...(rosters.get(name)?.peers.keys() ?? [])])
  const wereInStores = agents.flatMap(({ name }) => {
    const roster = rosters.get(name)
    return roster ? removedOf(roster).map((one) => one.name) : []
  })
  const names = [...new Set([...mesh.peers.keys(), ...inStores, ...wereInStores])]
  return names.flatMap((peer) =>
    agents.flatMap((agent): Pair[] => {
      const edge = declared.get(`${peer}:${agent.name}`)
      const roster = rosters.get(agent.name)
      if (!roster || !(edge ? part.hasEdge(peer, agent.name) : part.hasAgent(agent.name))) return []
      const standing = standingOf(roster, peer, at)
      const removed = part.hasAgent(agent.name) ? removedAt(roster, peer) : []
      // A peer that the file does not name is no row, but where a store has or had it.
      if (!mesh.peers.has(peer) && standing.kind === 'absent' && removed.length === 0) return []
      const over = edge?.expires instanceof Date && edge.expires.getTime() <= at.getTime()
      return [{ peer, agent, ...(edge && { edge }), standing, removed, over }]
    }),
  )
}

function removedAt(roster: Roster, peer: string): Removed[] {
  return removedOf(roster)
    .filter(({ name }) => name === peer)
    .map((entry) => ({ entry, credentials: removedCredentials(roster, entry) }))
}

/** A pair that is to be let in. */
export interface Usable extends Pair {
  readonly edge: MeshEdge
  readonly standing: Extract<Standing, { kind: 'live' }>
}

export const isUsable = (pair: Pair): pair is Usable =>
  pair.edge !== undefined && !pair.over && pair.standing.kind === 'live'
