import { TOTPError } from '../../core/errors.js'
import type { CodeProfile } from '../../core/profile.js'
import {
  newestLive,
  policiesOf,
  seedsOf,
  type Peer,
  type RemovedPeer,
  type Roster,
} from '../../core/roster.js'
import type { Seed } from '../../core/seed.js'
import { quoteForShell } from '../../core/shell.js'
import type { Token, TokenHash } from '../../core/token.js'
import type { ProbeCredentials } from '../../probe/index.js'

/** What a store holds of an edge. */
export type Standing =
  /** It can be called with. */
  | { readonly kind: 'live'; readonly credentials: ProbeCredentials }
  /** All of it has expired; undefined where that cannot be sent. */
  | { readonly kind: 'ended'; readonly credentials: ProbeCredentials | undefined }
  /** A token without a seed or the other way round, so nobody can call, and what is left is not to be spent. */
  | { readonly kind: 'half'; readonly lacks: 'seed' | 'token' }
  /** Of the live token only its hash is known. */
  | { readonly kind: 'hash-only' }
  | { readonly kind: 'absent' }

/** Returns what a store holds of an edge at an instant: the newest that is live and was handed out, else the newest. */
export function standingOf(roster: Roster, name: string, at: Date): Standing {
  const peer = roster.peers.get(name)
  if (!peer) return { kind: 'absent' }
  const seeds = seedsOf(roster, peer)
  const token = newestLive(peer.tokens, at)?.token
  const seed = newestLive(seeds, at)?.seed
  if (token && seed) {
    return isKnown(token)
      ? { kind: 'live', credentials: credentialsOf(roster, peer, { token, seed }) }
      : { kind: 'hash-only' }
  }
  if (token ?? seed) return { kind: 'half', lacks: token ? 'seed' : 'token' }
  const last = { token: peer.tokens.at(-1)?.token, seed: seeds.at(-1)?.seed }
  if (!last.token || !last.seed || !isKnown(last.token)) return { kind: 'ended', credentials: undefined }
  return {
    kind: 'ended',
    credentials: credentialsOf(roster, peer, { token: last.token, seed: last.seed }),
  }
}

/** Returns the credentials that a removed peer had last. Those whose token is known by its hash alone cannot be sent. */
export function removedCredentials(roster: Roster, removed: RemovedPeer): ProbeCredentials | undefined {
  const { token } = removed.token
  if (!isKnown(token)) return undefined
  const { name, replay, signed, seed } = removed
  return {
    ...profileOf(roster, removed),
    ...{ token, seed: seed.seed, peer: name, agent: roster.agent, replay, signed },
    signedByAgent: roster.signed ?? 'off',
  }
}

function credentialsOf(
  roster: Roster,
  peer: Peer,
  { token, seed }: { readonly token: Token; readonly seed: Seed },
): ProbeCredentials {
  return {
    ...profileOf(roster, peer),
    ...{ token, seed, peer: peer.name, agent: roster.agent },
    ...policiesOf(roster, peer),
    signedByAgent: roster.signed ?? 'off',
  }
}

function profileOf(
  { profile }: Roster,
  { algorithm, digits, period }: CodeProfile,
): Pick<ProbeCredentials, 'algorithm' | 'digits' | 'period' | 'window' | 'header'> {
  return { ...profile, algorithm, digits, period }
}

const isKnown = (token: Token | TokenHash): token is Token => token.value !== undefined

/** The error for an edge whose token is known by its hash alone. */
export function unsendable(peer: string, store: string): TOTPError {
  return new TOTPError(
    'ERR_TOKEN_UNKNOWN',
    `only the hash is known of the token of "${peer}" in ${store}, so it cannot be sent; run ` +
      `\`a2a-totp --store ${quoteForShell(store)} rotate ${peer} --token\` for a new one, or leave it out with --only`,
  )
}
