import {
  isLive,
  newestLive,
  policiesOf,
  seedsOf,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
  type TokenCredential,
} from '../../../core/roster.js'
import { printable } from '../../../core/text.js'

/** A credential in the JSON of `list` and `show`: everything but its value. */
interface CredentialView {
  readonly id: string
  readonly createdAt: string
  readonly expiresAt: string | null
  /** Known to the agent, and not in use yet. */
  readonly staged?: true
}

/** A rotation that is not finished. */
interface PendingView {
  readonly id: string
  readonly since: string
  readonly step: string
  readonly seed: boolean
  readonly token: boolean
}

/** A token that is known by its hash alone is marked. */
interface TokenView extends CredentialView {
  readonly hashOnly?: true
}

/** A peer or a canary in the JSON of `list` and `show`. A canary has no seeds, and nothing that decides about codes. */
interface PeerView {
  readonly name: string
  readonly canary?: true
  readonly algorithm: string | null
  readonly digits: number | null
  readonly period: number | null
  readonly replay: string | null
  readonly signed: string | null
  readonly createdAt: string
  readonly note: string | null
  readonly seeds: readonly CredentialView[]
  readonly tokens: readonly TokenView[]
  readonly pending: PendingView | null
}

function viewPeer(roster: Roster, peer: Peer | Canary): PeerView {
  if (!('seeds' in peer)) return viewCanary(peer)
  const { name, algorithm, digits, period, note, createdAt } = peer
  return {
    name,
    algorithm,
    digits,
    period,
    ...policiesOf(roster, peer),
    createdAt: createdAt.toISOString(),
    note: note ?? null,
    seeds: seedsOf(roster, peer).map(viewCredential),
    tokens: peer.tokens.map(viewToken),
    pending: viewPending(peer),
  }
}

function viewPending({ pending }: Peer): PendingView | null {
  if (!pending) return null
  const { id, since, step, seed, token } = pending
  return { id, since: since.toISOString(), step, seed, token }
}

function viewCanary({ name, note, createdAt, tokens }: Canary): PeerView {
  const noCodes = { algorithm: null, digits: null, period: null, replay: null, signed: null }
  const life = { createdAt: createdAt.toISOString(), note: note ?? null }
  return {
    name,
    canary: true,
    ...noCodes,
    ...life,
    seeds: [],
    tokens: tokens.map(viewToken),
    pending: null,
  }
}

/** The document of `list --json` and `show --json`. */
export function viewRoster(roster: Roster, peers: Iterable<Peer | Canary>): Record<string, unknown> {
  return {
    agent: roster.agent,
    url: roster.url ?? null,
    profile: roster.profile,
    replay: roster.replay,
    signed: roster.signed ?? 'off',
    sharedSeed: roster.sharedSeeds !== undefined,
    peers: Array.from(peers, (peer) => viewPeer(roster, peer)),
  }
}

/** The age in its largest whole unit: `3d`, `5h`, `12m`, `40s`. */
export function ageOf(createdAt: Date, now: Date): string {
  return spanOf(now.getTime() - createdAt.getTime())
}

/** The age of the seed and the token in use, `40d/2h` where they differ; of a canary that of the token. */
export function agesOf(roster: Roster, peer: Peer | Canary, now: Date): string {
  const ages = [...('seeds' in peer ? [seedsOf(roster, peer)] : []), peer.tokens].flatMap(
    (credentials: readonly Credential[]) => {
      const used = newestLive(credentials, now) ?? credentials.at(-1)
      return used ? ageOf(used.createdAt, now) : []
    },
  )
  return ages.length === 0 ? ageOf(peer.createdAt, now) : [...new Set(ages)].join('/')
}

function spanOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  for (const [unit, length] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const) {
    if (seconds >= length) return `${Math.floor(seconds / length)}${unit}`
  }
  return `${seconds}s`
}

/** `delivered, since 2h`: how far a rotation is that is not finished; empty without one. */
export function pendingOf(peer: Peer | Canary, now: Date): string {
  if (!('seeds' in peer) || !peer.pending) return ''
  const { step, since } = peer.pending
  return `${step}, since ${ageOf(since, now)}`
}

/**
 * The id of the credential in use and how long it is still valid, the number of older ones that are still live, and how
 * long the last of them stays so. One that is staged is only named when there is no other.
 */
export function overlapOf(credentials: readonly Credential[], now: Date): string {
  const newest = newestLive(credentials, now)
  if (!newest) return 'expired'
  const end = newest.expiresAt
  const marks = [
    ...(end ? [`${spanOf(end.getTime() - now.getTime())} left`] : []),
    ...(isHashOnly(newest) ? ['hash only'] : []),
  ]
  const id = marks.length === 0 ? newest.id : `${newest.id} (${marks.join(', ')})`
  const older = credentials.filter((one) => one !== newest && !one.staged && isLive(one, now))
  if (older.length === 0) return id
  const ends = older.map(({ expiresAt }) => expiresAt?.getTime() ?? Infinity)
  const last = Math.max(...ends)
  return `${id} +${older.length}${last === Infinity ? '' : ` for ${spanOf(last - now.getTime())}`}`
}

/** A peer's note on one line. */
export const noteOf = ({ note = '' }: Pick<Peer, 'note'>): string => printable(note)

const viewCredential = ({ id, createdAt, expiresAt, staged }: Credential): CredentialView => ({
  id,
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt?.toISOString() ?? null,
  ...(staged && { staged }),
})

const viewToken = (credential: TokenCredential): TokenView => ({
  ...viewCredential(credential),
  ...(isHashOnly(credential) && { hashOnly: true }),
})

const isHashOnly = (credential: Credential): boolean =>
  'token' in credential && (credential as TokenCredential).token.value === undefined
