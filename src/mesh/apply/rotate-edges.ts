import { isTOTPError, type TOTPError } from '../../core/errors.js'
import type { ProvisionOptions } from '../../core/provision.js'
import type { Roster } from '../../core/roster.js'
import { mostLiveSeeds, type CredentialKinds } from '../../core/rotation.js'
import { withPeerSettings } from '../../core/settings.js'
import { quoteForShell } from '../../core/shell.js'
import { stageRotation } from '../../core/staged-rotation.js'
import type { Mesh, MeshEdge } from '../file/mesh.js'
import { placeOfAgent, placeOfPeer } from '../plan/documents.js'
import type { MeshChange, Plan } from '../plan/plan.js'

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
 * finished. An edge that cannot be rotated has a row that says why.
 */
export function rotationPlan(
  mesh: Mesh,
  rosters: ReadonlyMap<string, Roster>,
  rotation: EdgeRotation,
  options: RotationOptions,
): Plan {
  const rotated: MeshChange[] = []
  const blocked: MeshChange[] = []
  for (const edge of rotation.edges) {
    const block = (why: string): void =>
      void blocked.push({ ...edgeOf(edge), action: 'rotate', blocked: why })
    const { agent, peer } = edge
    const roster = rosters.get(agent)
    const pending = roster?.peers.get(peer)?.pending
    if (pending && rotation.overlapMs !== 0) rotated.push({ agent, peer, field: 'pending', action: 'rotate' })
    else if (!roster?.peers.has(peer)) block('it is not in a store yet; run `a2a-totp mesh apply`')
    else {
      const after = attempt(() => withRotated(roster, edge, rotation, options))
      if (isTOTPError(after)) block(whyNot(mesh, edge, after))
      else if (after !== roster) rotated.push({ agent, peer, action: 'rotate' })
    }
  }
  return { changes: [...rotated, ...blocked, ...deliveries(mesh, rotated)], remarks: [] }
}

const edgeOf = ({ agent, peer }: MeshEdge): Pick<MeshEdge, 'agent' | 'peer'> => ({ agent, peer })

function whyNot(mesh: Mesh, { agent, peer }: MeshEdge, { code, message }: TOTPError): string {
  const store = mesh.agents.get(agent)?.store
  if (code !== 'ERR_OVERLAP_FULL' || store === undefined) return message
  return (
    `it has ${mostLiveSeeds} live seeds, and may not have another; run \`a2a-totp --store ${quoteForShell(store)} rotate ` +
    `${peer} --finish\` once ${peer} has the new one, or pass --now`
  )
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
    return isTOTPError(after) ? now : after
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
  if (staged === roster || edge.expires === undefined) return staged
  return withPeerSettings(staged, [edge.peer], { expires: edge.expires }, at)
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

function attempt(work: () => Roster): Roster | TOTPError {
  try {
    return work()
  } catch (error) {
    if (isTOTPError(error)) return error
    throw error
  }
}
