import { isSameRemoval } from './removed.js'
import {
  canariesOf,
  type Canary,
  type Credential,
  type Peer,
  type RemovedPeer,
  type Roster,
} from './roster.js'

/** A value of a field, as it may be shown: never a seed or a token. */
export type FieldValue = string | number | boolean | null

/** One field of a store that a change set. Null: it had no value, or has none now. */
export interface ChangedField {
  /** The peer or canary; absent for a field of the agent. */
  readonly peer?: string
  /**
   * `seed` and `token` have the ids of credentials; `seed.expiresAt` and the like follow an id. `removed` has the instant of
   * a removal whose credentials are kept until the agent was seen to refuse them.
   */
  readonly field: string
  readonly from: FieldValue
  readonly to: FieldValue
  /** The credential whose `expiresAt` or `staged` changed. */
  readonly id?: string
}

/** Returns what differs between two states of a store, without any secret. A peer with the same credentials under another name was renamed. */
export function changesBetween(before: Roster, after: Roster): ChangedField[] {
  const renamed = renamedPeers(before, after)
  return [
    ...differences(agentFields(before), agentFields(after)),
    ...credentialChanges('seed', before.sharedSeeds ?? [], after.sharedSeeds ?? []),
    ...[...renamed].map(([from, to]) => ({ peer: to, field: 'name', from, to })),
    ...namesIn(before, after)
      .filter((name) => !renamed.has(name))
      .flatMap((name) => {
        const old = holderOf(before, originalName(renamed, name))
        return holderChanges(name, old, holderOf(after, name))
      }),
    ...removals(before.removed ?? [], after.removed ?? []),
  ]
}

/** Returns the names of the peers and canaries that a change is about, once each, and none for one of the agent alone. */
export function namesChanged(changes: readonly ChangedField[]): string[] {
  return [...new Set(changes.flatMap(({ peer }) => peer ?? []))]
}

function removals(before: readonly RemovedPeer[], after: readonly RemovedPeer[]): ChangedField[] {
  const notIn = (some: readonly RemovedPeer[], others: readonly RemovedPeer[]): RemovedPeer[] =>
    some.filter((one) => !others.some((other) => isSameRemoval(one, other)))
  const field = 'removed'
  return [
    ...notIn(before, after).map(({ name, removedAt }) => ({
      ...{ peer: name, field, from: removedAt.toISOString(), to: null },
    })),
    ...notIn(after, before).map(({ name, removedAt }) => ({
      ...{ peer: name, field, from: null, to: removedAt.toISOString() },
    })),
  ]
}

type Holder = Peer | Canary
type Fields = Readonly<Record<string, FieldValue>>

function agentFields({ agent, url, profile, replay, signed = 'off' }: Roster): Fields {
  return { agent, url: url ?? null, ...profile, replay, signed }
}

function holderFields(holder: Holder): Fields {
  const note = holder.note ?? null
  if (!('seeds' in holder)) return { note }
  const { algorithm, digits, period, replay = null, signed = null, pending } = holder
  return { algorithm, digits, period, replay, signed, note, pending: pending?.step ?? null }
}

function holderChanges(peer: string, old: Holder | undefined, now: Holder | undefined): ChangedField[] {
  if (old === now) return []
  const both = old !== undefined && now !== undefined
  const changes = [
    ...(both ? differences(holderFields(old), holderFields(now)) : []),
    ...credentialChanges('seed', seedsIn(old), seedsIn(now)),
    ...credentialChanges('token', old?.tokens ?? [], now?.tokens ?? []),
  ]
  return changes.map((change) => ({ peer, ...change }))
}

function differences(before: Fields, after: Fields): ChangedField[] {
  return Object.keys({ ...before, ...after }).flatMap((field) => {
    const [from, to] = [before[field] ?? null, after[field] ?? null]
    return from === to ? [] : { field, from, to }
  })
}

function credentialChanges(
  kind: 'seed' | 'token',
  before: readonly Credential[],
  after: readonly Credential[],
): ChangedField[] {
  const old = new Map(before.map((one) => [one.id, one]))
  const now = new Map(after.map((one) => [one.id, one]))
  const gone = before.filter(({ id }) => !now.has(id)).map(({ id }) => ({ field: kind, from: id, to: null }))
  const made = after.filter(({ id }) => !old.has(id)).map(({ id }) => ({ field: kind, from: null, to: id }))
  const kept = after.flatMap((one) => {
    const earlier = old.get(one.id)
    if (!earlier) return []
    return differences(lifeOf(kind, earlier), lifeOf(kind, one)).map((change) => ({ ...change, id: one.id }))
  })
  return [...gone, ...made, ...kept]
}

function lifeOf(kind: string, { expiresAt, staged }: Credential): Fields {
  return { [`${kind}.expiresAt`]: expiresAt?.toISOString() ?? null, [`${kind}.staged`]: staged ?? false }
}

const seedsIn = (holder: Holder | undefined): readonly Credential[] =>
  holder && 'seeds' in holder ? holder.seeds : []

const holderOf = ({ peers, canaries }: Roster, name: string): Holder | undefined =>
  peers.get(name) ?? canaries?.get(name)

function namesIn(...rosters: readonly Roster[]): string[] {
  return [
    ...new Set(rosters.flatMap((one) => [...one.peers.keys(), ...canariesOf(one).map(({ name }) => name)])),
  ]
}

/** Old names by new ones are what a rename leaves: the same ids of tokens, which no two peers share. */
function renamedPeers(before: Roster, after: Roster): Map<string, string> {
  const ids = (holder: Holder | undefined): string =>
    (holder?.tokens ?? []).map(({ id, token }) => `${id} ${token.hash}`).join(' ')
  const names = namesIn(before, after)
  const added = names.filter((name) => !holderOf(before, name))
  const byIds = new Map(added.map((name) => [ids(holderOf(after, name)), name]))
  const removed = names.filter((name) => !holderOf(after, name))
  return new Map(
    removed.flatMap((name) => {
      const to = byIds.get(ids(holderOf(before, name)))
      return to === undefined ? [] : [[name, to] as const]
    }),
  )
}

function originalName(renamed: ReadonlyMap<string, string>, name: string): string {
  for (const [from, to] of renamed) if (to === name) return from
  return name
}
