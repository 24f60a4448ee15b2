import { signedBrought } from '../../core/policies.js'
import { provisionPeer, type ProvisionOptions } from '../../core/provision.js'
import { isLive, type Credential, type Peer, type Roster } from '../../core/roster.js'
import { withPeerSettings } from '../../core/settings.js'
import { stageRotation, withoutPending, withStep } from '../../core/staged-rotation.js'
import type { MeshEdge } from '../file/mesh.js'
import { hasEnded, rotationDue } from './rotation-due.js'

/** What changing an edge depends on. */
export interface EdgeOptions extends ProvisionOptions {
  /** The name of the rotations that are staged. */
  readonly stagingId: string
  /** Whether what locks a peer out until it has its new file is done: other ways to make codes. */
  readonly yes: boolean
}

/** Returns the peer of an edge that the store does not have yet. */
export function newPeer(roster: Roster, edge: MeshEdge, making: ProvisionOptions): Peer {
  const { peer: name, algorithm, digits, period, note, expires } = edge
  const replay = edge.replay === 'inherit' ? undefined : edge.replay
  const own = edge.signed === 'inherit' ? undefined : edge.signed
  const signed = own ?? signedBrought(edge, undefined, roster.signed)
  const codes = { ...(algorithm && { algorithm }), ...(digits && { digits }), ...(period && { period }) }
  const policies = { ...(replay && { replay }), ...(signed && { signed }) }
  const rest = { ...(note && { note }), ...(expires instanceof Date && { expiresAt: expires }) }
  return provisionPeer(roster, { name, ...codes, ...policies, ...rest }, making)
}

/**
 * Returns a peer of a store as its edge wants it: with other policies, another end, and a rotation staged where one is due.
 *
 * @param roster its agent, as it will be
 * @returns the same object where it is so already
 */
export function peerAfter(roster: Roster, edge: MeshEdge, peer: Peer, options: EdgeOptions): Peer {
  const { at, stagingId: id, yes } = options
  const { name } = peer
  const { replay, signed, note } = edge
  const settings = { ...(replay && { replay }), ...(signed && { signed }), ...(note && { note }) }
  // Alone, so that a roster of many is not looked through for each of them.
  const alone: Roster = { ...roster, peers: new Map([[name, peer]]) }
  const only = ({ peers }: Roster): Peer => peers.get(name) ?? peer
  if (hasEnded(edge, at)) return only(withPeerSettings(withEnd(alone, peer, at), [name], settings, at))
  const due = rotationDue(edge, peer, at, yes)
  const staged = due.due === 'yes' ? stageRotation(alone, [name], { id, ...due.rotation }, options) : alone
  const wanted = { ...settings, ...(edge.expires && { expires: edge.expires }) }
  // The usual edge, of which a mesh has many.
  return only(Object.keys(wanted).length === 0 ? staged : withPeerSettings(staged, [name], wanted, at))
}

/** The roster in which a peer's live credentials end now, and with them a rotation that was pending. */
function withEnd(roster: Roster, peer: Peer, at: Date): Roster {
  const { name, pending } = peer
  const isOver = ![...peer.seeds, ...peer.tokens].some((one) => isLive(one, at))
  if (isOver && !pending) return roster
  const ended = <C extends Credential>(credentials: readonly C[]): C[] =>
    credentials.map((one) => (isLive(one, at) ? { ...one, expiresAt: at } : one))
  const over: Peer = { ...peer, seeds: ended(peer.seeds), tokens: ended(peer.tokens) }
  const after: Roster = { ...roster, peers: new Map([[name, over]]) }
  return pending ? withoutPending(withStep(after, name, pending.id, 'delivered'), [name], pending.id) : after
}
