import type { Budget } from '../../state/budgets.js'
import type { State } from '../../state/state.js'
import type { StrangerLimitOptions } from '../../state/stranger-limit.js'
import type { CodeProfile, ReplayPolicy, TOTPProfile } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import type { Seed } from '../../core/seed.js'
import type { Token } from '../../core/token.js'
import type { ServerAuthScheme } from './delegates.js'
import type { OnEvent } from './events.js'

/** One seed of several. */
export interface PeerSeed {
  /** Names the seed in events; by default its place in the list. */
  readonly id?: string
  /** Base32, or a `Seed`. */
  readonly seed: string | Seed
  /** From this instant on, its codes are refused. */
  readonly expiresAt?: Date
}

/** The seeds of a peer, with anything that differs from the scheme's profile and policy. */
export interface SeedSet extends Partial<CodeProfile> {
  readonly seeds: readonly PeerSeed[]
  readonly replay?: ReplayPolicy
  readonly signed?: SignedPolicy
}

/** A seed in base32, a `Seed`, or a set of seeds. */
export type SeedInput = string | Seed | SeedSet

export interface ThrottleOptions {
  /**
   * The expected number of accepted guesses a day of one seed; by default 1.5e-4, which is one in 18 years. The limits on
   * guesses follow from it, from the digits of the peer's codes and from the window: see `limitsFor`. Infinity sets no
   * limits.
   */
  readonly risk?: number
  /**
   * Limits in place of those, for 6 digits; each further digit allows ten times as many. A scheme does not start if they
   * allow more than the risk. Without any in the list, guesses are not limited.
   */
  readonly budgets?: readonly Budget[]
  /** The limit on requests with unknown tokens, per source. */
  readonly strangers?: StrangerLimitOptions
}

/** A token that belongs to nobody: it is refused like an unknown token, and its use is reported (`canary_used`). */
export type CanaryToken = {
  /** Names the canary in events. */
  readonly name: string
  /** Names the token in events, if a canary has several. */
  readonly id?: string
} & (
  | { readonly token: string | Token; readonly hash?: never }
  /** What `hashToken` returns for the token, as in a server file. */
  | { readonly hash: string; readonly token?: never }
)

interface CommonOptions {
  /** Checks the bearer token. By default the tokens of `tokenToPeer` are accepted. */
  readonly delegate?: ServerAuthScheme
  /**
   * Token, or `sha256:` and its hash in hex, to peer. Names the peer of a token where the delegate does not; if both
   * name one and they differ, the request is refused.
   */
  readonly tokenToPeer?: Readonly<Record<string, string>> | ReadonlyMap<string, string>
  /** Tokens that belong to nobody and are planted as bait; whoever sends one causes the event `canary_used`. */
  readonly canaries?: readonly CanaryToken[]
  readonly profile?: Partial<TOTPProfile>
  /** `once`: a code is accepted for one request. `reuse`: as long as it is valid. There is no default. */
  readonly replay: ReplayPolicy
  /** The agent's stable name, as in its store. Proofs are bound to it, so it is needed where they are looked at. */
  readonly agent?: string
  /**
   * What to do with proofs, the signatures that bind a request to one seed, once. `off` by default: ignored. `observe`:
   * reported. `accept`: a proof that is there must be valid, and lets any number of requests share a code. `require`: no
   * request without one.
   */
  readonly signed?: SignedPolicy
  /** The beginning of the path that a proxy in front takes away, such as `/agents/billing`: proofs cover the path as it was sent. */
  readonly pathPrefix?: string
  readonly throttle?: ThrottleOptions
  /** By default in memory: not shared, and lost when the process ends. */
  readonly state?: State
  /** Allows seeds of less than 128 bits (RFC 4226 R6). */
  readonly allowWeakSeeds?: boolean
  /**
   * Allows a window of more than 2, up to 120: it accepts codes an hour old. A guess is that much likelier to match, so
   * fewer are allowed, and where none is left the scheme does not start.
   */
  readonly allowInsecureWindow?: boolean
  /**
   * Called after each outcome. Without it, what should wake somebody is a process warning (`TOTPWarning`): a token that
   * may be stolen, a canary's token, signs of a copied seed, and a state or a delegate that cannot be asked, at most once
   * a minute and cause.
   */
  readonly onEvent?: OnEvent
  readonly now?: () => Date
}

export interface PeerSeedsOptions extends CommonOptions {
  /** A seed for each peer that may call. */
  readonly peerSeeds: Readonly<Record<string, SeedInput>> | ReadonlyMap<string, SeedInput>
  readonly sharedSeed?: never
}

export interface SharedSeedOptions extends CommonOptions {
  /** One seed for all peers. Weaker: each of them can make the others' codes. */
  readonly sharedSeed: SeedInput
  readonly peerSeeds?: never
}

/** A seed for each peer, or one for all: never both, and without a fallback from one to the other. */
export type TOTPServerAuthSchemeOptions = PeerSeedsOptions | SharedSeedOptions
