import { newestLive, type Credential, type Roster } from '../../core/roster.js'
import type { Mesh, MeshEdge } from '../file/mesh.js'

/** What is to be done about the credentials of an edge, and when. */
export interface DueRow {
  readonly peer: string
  readonly agent: string
  readonly what: 'seed' | 'token' | 'rotation'
  /**
   * `expires`: it ends then. `expired`: it ended then, and there is no other. `rotate`: it is as old then as the mesh file
   * lets it be. `pending`: a rotation that began then is not finished.
   */
  readonly why: 'expires' | 'expired' | 'rotate' | 'pending'
  readonly at: Date
  /** The line of the edge in the mesh file, where that says when it ends: a rotation would end at the same time. */
  readonly endsByLine?: number
}

/** A removed peer whose credentials are kept until a proof has seen them refused. */
export interface RemovedRow {
  readonly peer: string
  readonly agent: string
  readonly removedAt: Date
}

/**
 * What is about to expire, what has expired, and what is due for a rotation by age, the first first.
 *
 * @param rosters by agent; an agent without one has no rows
 * @param withinMs how far ahead to look
 */
export function dueIn(
  mesh: Pick<Mesh, 'edges'>,
  rosters: ReadonlyMap<string, Roster>,
  at: Date,
  withinMs: number,
): DueRow[] {
  return mesh.edges
    .flatMap((edge) => {
      const peer = rosters.get(edge.agent)?.peers.get(edge.peer)
      if (peer === undefined) return []
      const place = { peer: edge.peer, agent: edge.agent }
      const pending: DueRow[] = peer.pending
        ? [{ ...place, what: 'rotation', why: 'pending', at: peer.pending.since }]
        : []
      return [...pending, ...ofOne(edge, 'seed', peer.seeds), ...ofOne(edge, 'token', peer.tokens)]
    })
    .sort((one, other) => one.at.getTime() - other.at.getTime())

  function ofOne(edge: MeshEdge, what: 'seed' | 'token', credentials: readonly Credential[]): DueRow[] {
    const place = { peer: edge.peer, agent: edge.agent, what }
    const newest = newestLive(credentials, at)
    if (newest === undefined) {
      const ended = Math.max(...credentials.map(({ expiresAt }) => expiresAt?.getTime() ?? -Infinity))
      return Number.isFinite(ended) ? [{ ...place, why: 'expired', ...ending(edge, new Date(ended)) }] : []
    }
    const horizon = at.getTime() + withinMs
    const { expiresAt, createdAt } = newest
    const ripe = createdAt.getTime() + (edge.rotateAfterMs ?? Infinity)
    return [
      ...(expiresAt && expiresAt.getTime() <= horizon
        ? [{ ...place, why: 'expires' as const, ...ending(edge, expiresAt) }]
        : []),
      ...(ripe <= horizon ? [{ ...place, why: 'rotate' as const, at: new Date(ripe) }] : []),
    ]
  }
}

function ending({ expires, line }: MeshEdge, at: Date): Pick<DueRow, 'at' | 'endsByLine'> {
  const byFile = expires instanceof Date && expires.getTime() <= at.getTime()
  return { at, ...(byFile && { endsByLine: line }) }
}

/** Removed peers that are still to be seen refused, oldest first. */
export function removedIn(rosters: ReadonlyMap<string, Roster>): RemovedRow[] {
  return [...rosters]
    .flatMap(([agent, { removed = [] }]) =>
      removed.map(({ name, removedAt }): RemovedRow => ({ peer: name, agent, removedAt })),
    )
    .sort((one, other) => one.removedAt.getTime() - other.removedAt.getTime())
}
