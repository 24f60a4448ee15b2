import type { CodeProfile, ReplayPolicy, TOTPProfile } from './profile.js'
import type { Seed } from './seed.js'
import type { Token } from './token.js'

/** What seeds and tokens have in common: an id that may be shown, and a lifetime. */
export interface Credential {
  /** Identifies the credential in lists and logs; independent of its value. */
  readonly id: string
  readonly createdAt: Date
  /** From this instant on it is refused. Without one it is valid until it is rotated. */
  readonly expiresAt?: Date
}

export interface SeedCredential extends Credential {
  readonly seed: Seed
}

export interface TokenCredential extends Credential {
  readonly token: Token
}

/** What may call the agent. Its algorithm, digits and period are those it was created with. */
export interface Peer extends CodeProfile {
  readonly name: string
  /** Its own policy; by default the agent's applies. */
  readonly replay?: ReplayPolicy
  readonly note?: string
  readonly createdAt: Date
  /** Oldest first. Empty when the roster has shared seeds. */
  readonly seeds: readonly SeedCredential[]
  /** Oldest first. */
  readonly tokens: readonly TokenCredential[]
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

/** An agent and the peers that may call it: the content of a store. */
export interface Roster {
  /** The agent's stable name. */
  readonly agent: string
  readonly url?: string
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  /** Set when all peers share one seed; then no peer has seeds of its own. Oldest first. */
  readonly sharedSeeds?: readonly SeedCredential[]
  readonly peers: ReadonlyMap<string, Peer>
  /** Absent when there is none. No canary has the name or the token of a peer. */
  readonly canaries?: ReadonlyMap<string, Canary>
}

/** Returns whether a credential is valid at an instant. */
export function isLive({ expiresAt }: { readonly expiresAt?: Date | undefined }, at: Date): boolean {
  return expiresAt === undefined || at.getTime() < expiresAt.getTime()
}

/** Returns the newest credential that is live at an instant, or undefined. */
export function newestLive<C extends Credential>(credentials: readonly C[], at: Date): C | undefined {
  return credentials.findLast((credential) => isLive(credential, at))
}

/** Returns the seeds that a peer's codes are checked with: its own, or the shared ones. */
export function seedsOf(roster: Roster, peer: Peer): readonly SeedCredential[] {
  return roster.sharedSeeds ?? peer.seeds
}

/** Returns the replay policy that applies to a peer. */
export function replayOf(roster: Roster, peer: Peer): ReplayPolicy {
  return peer.replay ?? roster.replay
}

/** Returns the canaries, in the order in which they were added. */
export function canariesOf({ canaries }: Roster): Canary[] {
  return canaries ? [...canaries.values()] : []
}
