import type { CodeProfile, ReplayPolicy, TOTPProfile } from './profile.js'
import type { SignedPolicy } from './proof/profile.js'
import type { Seed } from './seed.js'
import type { Token, TokenHash } from './token.js'

/** What seeds and tokens have in common: an id that may be shown, and a lifetime. */
export interface Credential {
  /** Identifies the credential in lists and logs; independent of its value. */
  readonly id: string
  readonly createdAt: Date
  /** From this instant on it is refused. Without one it is valid until it is rotated. */
  readonly expiresAt?: Date
  /** Set until a rotation has handed it out: the agent accepts it, but the peer does not have it yet. */
  readonly staged?: true
}

export interface SeedCredential extends Credential {
  readonly seed: Seed
}

export interface TokenCredential extends Credential {
  /** A {@link TokenHash} if the token was imported from a server file, which has no tokens. */
  readonly token: Token | TokenHash
}

/** How far a rotation with a delivery has come. Each step is recorded once it was seen to have succeeded. */
export const rotationSteps = ['staged', 'admitted', 'delivered', 'proved'] as const
export type RotationStep = (typeof rotationSteps)[number]

/** A rotation that is not finished: the old credentials stay valid until it is. */
export interface PendingRotation {
  readonly id: string
  readonly since: Date
  readonly step: RotationStep
  /** Which credentials are being replaced. */
  readonly seed: boolean
  readonly token: boolean
  /** How long the old ones stay valid once it is finished, in milliseconds. */
  readonly overlapMs: number
}

/** What may call the agent. Its algorithm, digits and period are those it was created with. */
export interface Peer extends CodeProfile {
  readonly name: string
  /** Its own policy; by default the agent's applies. */
  readonly replay?: ReplayPolicy
  /** Its own policy for proofs; by default the agent's applies. */
  readonly signed?: SignedPolicy
  readonly note?: string
  readonly createdAt: Date
  /** Oldest first. Empty when the roster has shared seeds. */
  readonly seeds: readonly SeedCredential[]
  /** Oldest first. */
  readonly tokens: readonly TokenCredential[]
  readonly pending?: PendingRotation
}

/**
 * A token that belongs to nobody, planted where only an intruder finds it. It has no seed: the agent refuses it like an
 * unknown token, and reports its use.
 */
export interface Canary {
  readonly name: string
  readonly note?: string
  readonly createdAt: Date
  /** Oldest first. */
  readonly tokens: readonly TokenCredential[]
}

/**
 * A peer that a mesh has removed, with the credentials that it had last. They open nothing: a probe sends them to the agent
 * once more, and when it saw them refused, they are forgotten.
 */
export interface RemovedPeer extends CodeProfile {
  readonly name: string
  readonly removedAt: Date
  /** The policies that applied to it. */
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
  readonly seed: SeedCredential
  readonly token: TokenCredential
}

/** An agent and the peers that may call it: the content of a store. */
export interface Roster {
  /** Grows with each change of the store. Absent: 0. */
  readonly serial?: number
  /** The agent's stable name. */
  readonly agent: string
  readonly url?: string
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  /** The policy for proofs. Absent in a store of before: `off`. */
  readonly signed?: SignedPolicy
  /** Set when all peers share one seed; then no peer has seeds of its own. Oldest first. */
  readonly sharedSeeds?: readonly SeedCredential[]
  readonly peers: ReadonlyMap<string, Peer>
  /** Absent when there is none. No canary has the name or the token of a peer. */
  readonly canaries?: ReadonlyMap<string, Canary>
  /** Oldest first. Absent when there is none. A name may be that of a present peer, and may be there twice. */
  readonly removed?: readonly RemovedPeer[]
}

/** Returns whether a credential is valid at an instant. */
export function isLive({ expiresAt }: { readonly expiresAt?: Date | undefined }, at: Date): boolean {
  return expiresAt === undefined || at.getTime() < expiresAt.getTime()
}

/**
 * Returns the credential to use at an instant: the newest that is live. One that is staged is used only when there is no
 * other. Undefined when none is live.
 */
export function newestLive<C extends Credential>(credentials: readonly C[], at: Date): C | undefined {
  const live = credentials.filter((credential) => isLive(credential, at))
  return live.findLast(({ staged }) => !staged) ?? live.at(-1)
}

/** Returns the seeds that a peer's codes are checked with: its own, or the shared ones. */
export function seedsOf(roster: Roster, peer: Peer): readonly SeedCredential[] {
  return roster.sharedSeeds ?? peer.seeds
}

/** Returns the replay policy that applies to a peer. */
export function replayOf(roster: Roster, peer: Peer): ReplayPolicy {
  return peer.replay ?? roster.replay
}

/** Returns the policy for proofs that applies to a peer. */
export function signedOf(roster: Roster, peer: Peer): SignedPolicy {
  return peer.signed ?? roster.signed ?? 'off'
}

/** Returns both policies that apply to a peer. */
export function policiesOf(roster: Roster, peer: Peer): { replay: ReplayPolicy; signed: SignedPolicy } {
  return { replay: replayOf(roster, peer), signed: signedOf(roster, peer) }
}

/** Returns the canaries, in the order in which they were added. */
export function canariesOf({ canaries }: Roster): Canary[] {
  return canaries ? [...canaries.values()] : []
}
