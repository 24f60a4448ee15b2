import {
  canariesOf,
  isLive,
  newestLive,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
} from '../../../core/roster.js'
import { listSome } from '../../../core/text.js'

/** When a credential of a peer or a canary ends. */
export interface CredentialEnd {
  readonly name: string
  readonly kind: 'seed' | 'token'
  readonly end: Date
}

const kinds = ['seed', 'token'] as const

/** The credentials of a peer or a canary, oldest first; of a shared seed all of them. */
export function credentialsByKind(
  { sharedSeeds }: Roster,
  holder: Peer | Canary | undefined,
): Readonly<Record<CredentialEnd['kind'], readonly Credential[]>> {
  const own = holder && 'seeds' in holder ? holder.seeds : []
  const shared = holder && 'seeds' in holder ? sharedSeeds : undefined
  return { seed: shared ?? own, token: holder?.tokens ?? [] }
}

/** The peer or the canary of a name. */
export const holderIn = ({ peers, canaries }: Roster, name: string): Peer | Canary | undefined =>
  peers.get(name) ?? canaries?.get(name)

/** The peers and canaries whose credentials changed. A new shared seed changes those of all peers. */
export function changedHolders(before: Roster | undefined, after: Roster): (Peer | Canary)[] {
  const all = before?.sharedSeeds !== after.sharedSeeds
  return [
    ...[...after.peers.values()].filter((peer) => all || before?.peers.get(peer.name) !== peer),
    ...canariesOf(after).filter((canary) => before?.canaries?.get(canary.name) !== canary),
  ]
}

/** The ends of what a rotation created. What has none is left out. */
export function endsOfNew(
  before: Roster,
  after: Roster,
  rotated: readonly (Peer | Canary)[],
): CredentialEnd[] {
  return endsOf(after, rotated, ({ name }, kind, credentials) => {
    const old = credentialsByKind(before, holderIn(before, name))[kind]
    return credentials.filter(({ id }) => old.every((one) => one.id !== id))
  })
}

/** The ends of what was in use before a rotation, and is valid beside what it created. */
export function endsOfOld(
  before: Roster,
  after: Roster,
  rotated: readonly (Peer | Canary)[],
  at: Date,
): CredentialEnd[] {
  return endsOf(after, rotated, ({ name }, kind, credentials) => {
    const used = newestLive(credentialsByKind(before, holderIn(before, name))[kind], at)
    return credentials.slice(0, -1).filter(({ id }) => id === used?.id)
  })
}

/** What ends by a change of a peer or a canary. */
export interface ChangedEnd {
  /** Whose it is. */
  readonly peer: string
  /** Of a seed or a token. */
  readonly id: string
  /** RFC 3339. */
  readonly at: string
}

/** The credentials that a change ended, or gave another end, and when that is. */
export function changedEnds(
  before: Roster,
  after: Roster,
  holders: readonly (Peer | Canary)[],
  at: Date,
): readonly ChangedEnd[] {
  return holders.flatMap((holder) => {
    const old = credentialsByKind(before, holderIn(before, holder.name))
    const now = credentialsByKind(after, holder)
    return kinds.flatMap((kind) =>
      old[kind].flatMap((one) => {
        const left = now[kind].find(({ id }) => id === one.id)
        const end = endAfter(left, at)
        const isNew = end !== undefined && end !== one.expiresAt?.getTime()
        return isNew ? { peer: holder.name, id: one.id, at: new Date(end).toISOString() } : []
      }),
    )
  })
}

/** When a credential ends: now, if it is gone. */
const endAfter = (credential: Credential | undefined, at: Date): number | undefined =>
  credential ? credential.expiresAt?.getTime() : at.getTime()

function endsOf(
  roster: Roster,
  holders: readonly (Peer | Canary)[],
  choose: (
    holder: Peer | Canary,
    kind: CredentialEnd['kind'],
    credentials: readonly Credential[],
  ) => readonly Credential[],
): CredentialEnd[] {
  return holders.flatMap((holder) =>
    kinds.flatMap((kind) =>
      choose(holder, kind, credentialsByKind(roster, holder)[kind]).flatMap(({ expiresAt }) =>
        expiresAt ? { name: holder.name, kind, end: expiresAt } : [],
      ),
    ),
  )
}

/** `the new ones keep the end of those that they follow …`; undefined if none ends. */
export function wordsOfNew(ends: readonly CredentialEnd[]): string | undefined {
  const [first] = ends
  if (!first) return undefined
  const name = ends.every((one) => one.name === first.name) ? first.name : 'NAME'
  const list = listSome(joined(ends, '').map(({ whose, end }) => `${whose} until ${end}`))
  return `the new ones keep the end of those that they follow: ${list}; a2a-totp set ${name} --expires TIME changes it`
}

/** `until TIME`, the latest, and what ends sooner; undefined if there is nothing. */
export function untilOf(ends: readonly CredentialEnd[]): string | undefined {
  if (ends.length === 0) return undefined
  const latest = new Date(Math.max(...ends.map(({ end }) => end.getTime()))).toISOString()
  const sooner = joined(ends, 'those of ').filter(({ end }) => end !== latest)
  const except = listSome(sooner.map(({ whose, end }) => `${whose} until ${end}`))
  return `until ${latest}${except && `, but ${except}`}`
}

/** One entry for a peer, or one for each kind where these end at different times. */
function joined(ends: readonly CredentialEnd[], ofAll: string): { whose: string; end: string }[] {
  return [...new Set(ends.map(({ name }) => name))].flatMap((name) => {
    const own = ends.filter((one) => one.name === name)
    const times = new Set(own.map(({ end }) => end.toISOString()))
    if (times.size === 1) return Array.from(times, (end) => ({ whose: `${ofAll}${name}`, end }))
    return own.map(({ kind, end }) => ({ whose: `the ${kind} of ${name}`, end: end.toISOString() }))
  })
}

/** What a rotation that is not finished leaves of the old credentials of some peers, in words. */
export function oldWhilePending(roster: Roster, names: readonly string[], at: Date): string {
  const pending = names.flatMap((name) => {
    const peer = roster.peers.get(name)
    return peer?.pending ? [{ name, old: liveOld(peer, at) }] : []
  })
  const ended = pending.filter(({ old }) => old.length === 0).map(({ name }) => name)
  if (ended.length > 0 && ended.length === pending.length) return 'the old credentials have ended'
  const ends = pending.flatMap(({ name, old }) =>
    old.flatMap(({ kind, expiresAt }) => (expiresAt ? { name, kind, end: expiresAt } : [])),
  )
  const most = joined(ends, 'those of ').map(({ whose, end }) => `${whose} until ${end} at most`)
  const limits = [...ended.map((name) => `those of ${name} have ended`), ...most]
  return `the old credentials stay valid until it is${limits.length > 0 ? `, but ${listSome(limits)}` : ''}`
}

type OldCredential = Credential & Pick<CredentialEnd, 'kind'>

/** What a pending rotation replaces, while it is live. The new ones are last. */
function liveOld({ seeds, tokens, pending }: Peer, at: Date): OldCredential[] {
  const old = (kind: CredentialEnd['kind'], credentials: readonly Credential[]): OldCredential[] =>
    pending?.[kind] ? credentials.slice(0, -1).map((one) => ({ ...one, kind })) : []
  return [...old('seed', seeds), ...old('token', tokens)].filter((one) => isLive(one, at))
}
