import { isTOTPError } from '../../core/errors.js'
import type { ProvisionOptions } from '../../core/provision.js'
import { newestLive, type Peer, type Roster } from '../../core/roster.js'
import type { CredentialKinds } from '../../core/rotation.js'
import { withPeerSettings } from '../../core/settings.js'
import { stageRotation } from '../../core/staged-rotation.js'
import type { Mesh, MeshEdge } from '../file/mesh.js'
import { placeOfAgent, placeOfPeer } from '../plan/documents.js'
import type { MeshChange, Plan } from '../plan/plan.js'
import { edgeName } from './mesh-run.js'

/** Which edges are rotated, and how. */
export interface EdgeRotation extends CredentialKinds {
  readonly edges: readonly MeshEdge[]
  /** In place of what the file says of each edge; 0 ends the old credentials at once. */
  readonly overlapMs?: number
  /** Credentials made after this instant stay. */
  readonly madeBefore?: Date
}

export interface RotationOptions extends ProvisionOptions {
  readonly stagingId: string
}

/**
 * Returns what rotating edges does: the rotations, and the files that are delivered for them. Rotations that are pending are
 * finished. An edge that cannot be rotated is in the remarks, with the reason.
 */
export function rotationPlan(
  mesh: Mesh,
  rosters: ReadonlyMap<string, Roster>,
  rotation: EdgeRotation,
  options: RotationOptions,
): Plan {
  const remarks: string[] = []
  const rotated: MeshChange[] = []
  for (const edge of rotation.edges) {
    const { agent, peer } = edge
    const roster = rosters.get(agent)
    const pending = roster?.peers.get(peer)?.pending
    if (pending && rotation.overlapMs !== 0) rotated.push({ agent, peer, field: 'pending', action: 'rotate' })
    else if (!roster?.peers.has(peer))
      remarks.push(`${edgeName(edge)} is not in a store yet; run \`a2a-totp mesh apply\``)
    else {
      const after = attempt(() => withRotated(roster, edge, rotation, options))
      if (typeof after === 'string') remarks.push(`${edgeName(edge)} is not rotated: ${after}`)
      else if (after !== roster) rotated.push({ agent, peer, action: 'rotate' })
    }
  }
  return { changes: [...rotated, ...deliveries(mesh, rotated)], remarks }
}

/** Returns a store with the rotations of its edges staged; one that cannot be rotated stays as it is. */
export function withRotatedEdges(
  roster: Roster,
  agent: string,
  rotation: EdgeRotation,
  options: RotationOptions,
): Roster {
  return rotation.edges.reduce((now, edge) => {
    const peer = now.peers.get(edge.peer)
    if (edge.agent !== agent || !peer || (peer.pending && rotation.overlapMs !== 0)) return now
    const after = attempt(() => withRotated(now, edge, rotation, options))
    return typeof after === 'string' ? now : after
  }, roster)
}

/** New credentials last as long as those that they follow, unless the file says how long. */
function withRotated(
  roster: Roster,
  edge: MeshEdge,
  { seed, token, madeBefore, overlapMs = edge.overlapMs }: EdgeRotation,
  { stagingId: id, ...making }: RotationOptions,
): Roster {
  const { at } = making
  const peer = roster.peers.get(edge.peer)
  if (!peer || (edge.expires instanceof Date && edge.expires <= at)) return roster
  const staging = { id, seed, token, overlapMs, ...(madeBefore && { madeBefore }) }
  const staged = stageRotation(roster, [edge.peer], staging, making)
  const expires = edge.expires ?? endOf(peer, at)
  if (staged === roster || expires === undefined) return staged
  return withPeerSettings(staged, [edge.peer], { expires }, at)
}

/** The earliest end of the credentials in use. */
function endOf({ seeds, tokens }: Peer, at: Date): Date | undefined {
  const ends = [newestLive(seeds, at), newestLive(tokens, at)].flatMap((one) => one?.expiresAt ?? [])
  return ends.length === 0 ? undefined : new Date(Math.min(...ends.map(Number)))
}

function deliveries(mesh: Mesh, rotated: readonly MeshChange[]): MeshChange[] {
  const agents = [...new Set(rotated.map(({ agent }) => agent))].filter((name) => {
    const agent = mesh.agents.get(name)
    return agent && placeOfAgent(agent)
  })
  const clients = rotated.filter(({ peer: name = '' }) => {
    const peer = mesh.peers.get(name)
    return peer && placeOfPeer(peer)
  })
  return [
    ...agents.map((agent): MeshChange => ({ agent, action: 'deliver' })),
    ...clients.map(({ agent, peer = '' }): MeshChange => ({ agent, peer, action: 'deliver' })),
  ]
}

function attempt(work: () => Roster): Roster | string {
  try {
    return work()
  } catch (error) {
    if (isTOTPError(error)) return error.message
    throw error
  }
}
