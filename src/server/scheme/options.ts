import type { Budget } from '../../state/budgets.js'
import type { State } from '../../state/state.js'
import type { StrangerLimitOptions } from '../../state/stranger-limit.js'
import type { CodeProfile, ReplayPolicy, TOTPProfile } from '../../core/profile.js'
import type { Seed } from '../../core/seed.js'
import type { ServerAuthScheme } from './delegates.js'
import type { OnEvent } from './events.js'

/** One seed of several. */
export interface PeerSeed {
  /**
   * Names it in events, and keeps its claims apart from those of others. By default its place in the list, which is
   * not enough where the guard outlives the process and the list changes.
   */
  readonly id?: string
  /** Base32, or a seed. */
  readonly seed: string | Seed
  /** From this instant on its codes are refused. */
  readonly expiresAt?: Date
}

/** Seeds with what differs from the scheme's profile and policy. */
export interface SeedSet extends Partial<CodeProfile> {
  readonly seeds: readonly PeerSeed[]
  readonly replay?: ReplayPolicy
}

/** A seed in base32, a seed, or a set of them. */
export type SeedInput = string | Seed | SeedSet

export interface ThrottleOptions {
  /** Wrong guesses per (peer, token), for 6 digits; each further digit allows ten times as many. */
  readonly budgets?: readonly Budget[]
  /** Requests with unknown tokens, per source. */
  readonly strangers?: StrangerLimitOptions
}

interface CommonOptions {
  /** Checks the bearer token. By default the tokens of `tokenToPeer` are the ones that are good. */
  readonly delegate?: ServerAuthScheme
  /**
   * Token, or `sha256:` and its hash in hex, to peer. Says whose a token is where the delegate does not; where
   * both say it and differ, the request is refused.
   */
  readonly tokenToPeer?: Readonly<Record<string, string>> | ReadonlyMap<string, string>
  readonly profile?: Partial<TOTPProfile>
  /** `once`: a code is good for one request. `reuse`: for as long as it is valid. There is no default. */
  readonly replay: ReplayPolicy
  readonly throttle?: ThrottleOptions
  /** By default in memory: alone in this process, and forgotten with it. */
  readonly state?: State
  /** Lets seeds of less than 128 bits pass (RFC 4226 R6). */
  readonly allowWeakSeeds?: boolean
  /** Lets a window of more than 2 pass, up to 120: codes that are an hour old, and as many more that a guess can hit. */
  readonly allowInsecureWindow?: boolean
  readonly onEvent?: OnEvent
  readonly now?: () => Date
}

export interface PeerSeedsOptions extends CommonOptions {
  /** A seed for each peer: those who may call. */
  readonly peerSeeds: Readonly<Record<string, SeedInput>> | ReadonlyMap<string, SeedInput>
  readonly sharedSeed?: never
}

export interface SharedSeedOptions extends CommonOptions {
  /** One seed for all peers. Weaker: each of them can make the others' codes. */
  readonly sharedSeed: SeedInput
  readonly peerSeeds?: never
}

/** A seed for each peer, or one for all: never both, and no falling back from one to the other. */
export type TOTPServerAuthSchemeOptions = PeerSeedsOptions | SharedSeedOptions
