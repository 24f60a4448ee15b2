import type { Algorithm, Digits, ReplayPolicy } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import { defaultProfile } from '../../core/profile.js'
import { newestLive, seedsOf, type Peer, type Roster } from '../../core/roster.js'
import type { MeshAgent, MeshEdge } from '../file/mesh.js'
import { durationText } from './duration-text.js'
import { edgePolicies } from './policies.js'
import type { StoreReading } from './store-reading.js'

/**
 * Where an edge stands. `unknown`: its store was not read. `missing`: it has no credentials yet. `pending`: a rotation is
 * not finished. `due`: its credentials are older than the file lets them get.
 */
export const edgeStates = ['live', 'pending', 'due', 'missing', 'expired', 'unknown'] as const
export type EdgeState = (typeof edgeStates)[number]

/** One edge of the file. Instants are RFC 3339. */
export interface EdgeView {
  readonly peer: string
  readonly agent: string
  readonly state: EdgeState
  /** The policies that apply, its own or the agent's. Null: neither the file nor a store says. */
  readonly replay: ReplayPolicy | null
  readonly signed: SignedPolicy | null
  readonly algorithm: Algorithm | null
  readonly digits: Digits | null
  /** In seconds. */
  readonly period: number | null
  readonly note: string | null
  /** When its credentials end; null: never, or not known. */
  readonly expiresAt: string | null
  /** Durations as the file has them. */
  readonly overlap: string
  readonly rotateAfter: string | null
  /** Null: its store was not read. */
  readonly created: boolean | null
  readonly createdAt: string | null
  /** When the older one of its seed and its token was made. */
  readonly renewedAt: string | null
  /** A rotation that is not finished. */
  readonly pending: { readonly step: string; readonly since: string } | null
  readonly line: number
}

/** Returns what there is to show of an edge at an instant. */
export function viewEdge(
  edge: MeshEdge,
  agent: MeshAgent | undefined,
  reading: StoreReading,
  at: Date,
): EdgeView {
  const roster = reading.state === 'read' ? reading.roster : undefined
  const peer = roster?.peers.get(edge.peer)
  const stored = roster && peer ? lifeOf(roster, peer, at) : undefined
  const isKnown = roster !== undefined || reading.state === 'missing'
  const isOver = edge.expires instanceof Date && edge.expires <= at
  const codes = peer ?? { ...(isKnown ? { ...defaultProfile, ...roster?.profile } : {}), ...codesOf(agent) }
  const end = edge.expires instanceof Date ? edge.expires.toISOString() : stored?.end
  return {
    peer: edge.peer,
    agent: edge.agent,
    state: stateOf(edge, { isKnown, isOver, stored, peer, at }),
    ...(agent ? edgePolicies(edge, agent, reading) : { replay: null, signed: null }),
    algorithm: edge.algorithm ?? codes.algorithm ?? null,
    digits: edge.digits ?? codes.digits ?? null,
    period: edge.period ?? codes.period ?? null,
    note: edge.note ?? peer?.note ?? null,
    expiresAt: (edge.expires === 'never' ? undefined : end) ?? null,
    overlap: durationText(edge.overlapMs),
    rotateAfter: edge.rotateAfterMs === undefined ? null : durationText(edge.rotateAfterMs),
    created: isKnown ? peer !== undefined : null,
    createdAt: peer?.createdAt.toISOString() ?? null,
    renewedAt: stored?.renewed?.toISOString() ?? null,
    pending: peer?.pending ? { step: peer.pending.step, since: peer.pending.since.toISOString() } : null,
    line: edge.line,
  }
}

const codesOf = ({ algorithm, digits, period }: Partial<MeshAgent> = {}): Partial<MeshAgent> => ({
  ...(algorithm && { algorithm }),
  ...(digits && { digits }),
  ...(period !== undefined && { period }),
})

interface Life {
  /** Whether there is a seed and a token to use. */
  readonly isLive: boolean
  readonly end?: string
  readonly renewed?: Date
}

/** The credentials in use: when the first of them ends, and when the older one was made. */
function lifeOf(roster: Roster, peer: Peer, at: Date): Life {
  const used = [newestLive(seedsOf(roster, peer), at), newestLive(peer.tokens, at)]
  const newest = [used[0] ?? seedsOf(roster, peer).at(-1), used[1] ?? peer.tokens.at(-1)]
  const ends = newest.flatMap((one) => (one?.expiresAt ? [one.expiresAt.getTime()] : []))
  const made = newest.flatMap((one) => (one ? [one.createdAt.getTime()] : []))
  return {
    isLive: used.every((one) => one !== undefined),
    ...(ends.length > 0 && { end: new Date(Math.min(...ends)).toISOString() }),
    ...(made.length > 0 && { renewed: new Date(Math.min(...made)) }),
  }
}

interface Facts {
  readonly isKnown: boolean
  readonly isOver: boolean
  readonly stored: Life | undefined
  readonly peer: Peer | undefined
  readonly at: Date
}

function stateOf(edge: MeshEdge, { isKnown, isOver, stored, peer, at }: Facts): EdgeState {
  if (isOver) return 'expired'
  if (!isKnown) return 'unknown'
  if (!stored) return 'missing'
  if (!stored.isLive) return 'expired'
  if (peer?.pending) return 'pending'
  const age = stored.renewed ? at.getTime() - stored.renewed.getTime() : 0
  return edge.rotateAfterMs !== undefined && age > edge.rotateAfterMs ? 'due' : 'live'
}
