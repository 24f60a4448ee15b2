import { changesBetween, type ChangedField, type FieldValue } from '../../core/changes.js'
import { newestLive, type Canary, type Peer, type Roster } from '../../core/roster.js'
import type { MeshChange } from './plan.js'

const ofCodes = ['algorithm', 'digits', 'period']
const reachingAll = ['header', 'window']
const ofPeers = ['replay', 'signed', 'note']

/**
 * Returns what differs between a store and what it will hold: its creation or fields of the agent, then its peers and its
 * canaries by name.
 *
 * @param before undefined: there is no store yet
 */
export function storeRows(agent: string, before: Roster | undefined, after: Roster, at: Date): MeshChange[] {
  const none: Roster = { ...after, peers: new Map(), canaries: new Map() }
  const old = before ?? none
  const fields = byPeer(before && before !== after ? changesBetween(before, after) : [])
  return [
    ...(before ? (fields.get(undefined) ?? []).map((one) => agentRow(agent, one, old)) : [created(agent)]),
    ...namesOf(old.peers, after.peers).flatMap((peer) => {
      const [was, will] = [old.peers.get(peer), after.peers.get(peer)]
      if (!was) return [{ agent, peer, action: 'create' as const }]
      if (!will) return [{ agent, peer, action: 'remove' as const, needs: 'prune' as const }]
      return edgeRows({ agent, was, will, fields: fields.get(peer) ?? [], at })
    }),
    ...canaryRows(agent, old, after),
  ]
}

function byPeer(changes: readonly ChangedField[]): Map<string | undefined, ChangedField[]> {
  const found = new Map<string | undefined, ChangedField[]>()
  for (const change of changes) {
    const known = found.get(change.peer)
    if (known) known.push(change)
    else found.set(change.peer, [change])
  }
  return found
}

const created = (agent: string): MeshChange => ({ agent, action: 'create' })

function agentRow(agent: string, { field, from, to }: ChangedField, { peers }: Roster): MeshChange {
  const needs = reachingAll.includes(field) && peers.size > 0 ? { needs: 'yes' as const } : {}
  return { agent, field, action: 'change', from, to, ...needs }
}

interface EdgeDifference {
  readonly agent: string
  readonly was: Peer
  readonly will: Peer
  readonly fields: readonly ChangedField[]
  readonly at: Date
}

function edgeRows({ agent, was, will, fields, at }: EdgeDifference): MeshChange[] {
  const peer = was.name
  const change = (field: string, from: FieldValue, to: FieldValue): MeshChange => ({
    ...{ agent, peer, field, action: 'change', from, to },
  })
  const plain = fields
    .filter(({ field }) => ofPeers.includes(field))
    .map(({ field, from, to }) => change(field, from, to))
  const ends = fields.find(({ field }) => field.endsWith('.expiresAt'))
  const [from, to] = [endOf(was, at), endOf(will, at)]
  const end = ends ? [from === to ? change('expires', ends.from, ends.to) : change('expires', from, to)] : []
  const isOver = was.pending !== undefined && will.pending === undefined
  const over = isOver ? [change('pending', was.pending.step, null)] : []
  return [...plain, ...end, ...over, ...rotationRows({ agent, was, will, fields, at })]
}

function rotationRows({ agent, was, will, fields, at }: EdgeDifference): MeshChange[] {
  if (!will.pending) return []
  const row = { agent, peer: was.name, action: 'rotate' as const }
  if (will.pending.id === was.pending?.id) return [{ ...row, field: 'pending' }]
  const ofProfile = fields.filter(({ field }) => ofCodes.includes(field))
  if (ofProfile.length > 0)
    return ofProfile.map(({ field, from, to }) => ({ ...row, field, from, to, needs: 'yes' }))
  const isUsable = newestLive(was.seeds, at) && newestLive(was.tokens, at)
  return [{ ...row, field: isUsable ? 'age' : 'expires' }]
}

const noCanaries: ReadonlyMap<string, Canary> = new Map()

function canaryRows(
  agent: string,
  { canaries: old = noCanaries }: Roster,
  { canaries: now = noCanaries }: Roster,
): MeshChange[] {
  return namesOf(old, now).flatMap((peer): MeshChange[] => {
    if (!old.has(peer)) return [{ agent, peer, action: 'create', canary: true }]
    return now.has(peer) ? [] : [{ agent, peer, action: 'remove', canary: true, needs: 'prune' }]
  })
}

/** When the credentials in use end, or have ended, as RFC 3339. */
function endOf({ tokens }: Peer, at: Date): string | null {
  return (newestLive(tokens, at) ?? tokens.at(-1))?.expiresAt?.toISOString() ?? null
}

const namesOf = (...maps: readonly ReadonlyMap<string, unknown>[]): string[] =>
  [...new Set(maps.flatMap((one) => [...one.keys()]))].sort()
