import type { ReplayPolicy } from '../core/profile.js'
import type { Budget } from './budgets.js'

/** What comparing the code showed: it matched a time step of a seed, or it is a guess. */
export type Comparison =
  | {
      readonly kind: 'match'
      /** The digest of the seed, one of the attempt's. */
      readonly seed: string
      readonly timeStep: number
    }
  | {
      readonly kind: 'guess'
      /** The wrong code, to tell distinct guesses of a time step apart. A state that stores it outside this process hashes it. */
      readonly code: string
    }

/** A request with a live token of the peer and a well-formed code. */
export interface Attempt {
  readonly peer: string
  /**
   * The live seeds of the peer, each by its digest. Claims and budgets belong to a seed, whatever id, peer or agent it is
   * listed under.
   */
  readonly seeds: readonly string[]
  /** The hash of the token, `sha256:` and hex, if the delegate lists its tokens. */
  readonly token?: string
  /**
   * Returns the hashes of all live tokens whose guesses count. Guesses with other tokens are ignored, so a new token
   * restores service. Absent or undefined if the delegate does not list its tokens; then all guesses count.
   */
  readonly liveTokens?: () => readonly string[] | undefined
  readonly policy: ReplayPolicy
  /** The limits on the guesses at a seed; without any, nothing is throttled. */
  readonly budgets: readonly Budget[]
  readonly at: Date
  /** The current time step, to which a guess belongs. */
  readonly timeStep: number
  /** In seconds. */
  readonly period: number
  /** In time steps. */
  readonly window: number
  readonly comparison: Comparison
  /** A proof that the request is bound to, verified but for its nonce. Then the comparison is a match. */
  readonly proof?: SpentProof
}

/** What a proof spends. It belongs to the seed that the code matched. */
export interface SpentProof {
  /** 22 to 64 characters of base64url. */
  readonly nonce: string
  /** In unix seconds, by the peer's clock. */
  readonly created: number
  /** In unix seconds. Until then, that second included, the nonce is remembered. */
  readonly expires: number
}

/** What a state returns for an attempt. `retryAfter` is in whole seconds, at least 1. */
export type Decision =
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'wrong'
      /** Whether it was counted: false for a code that was sent before in this time step. */
      readonly counted: boolean
      /** True only for the guess that exhausts a budget. */
      readonly tripped: boolean
    }
  /** The time step is spent: it or a newer one was claimed. For a proof: its nonce is, and no retry makes sense. */
  | { readonly kind: 'replayed'; readonly retryAfter?: number }
  /** A budget is exhausted; the comparison was ignored. */
  | { readonly kind: 'throttled'; readonly retryAfter: number }
  /** The time step, or the nonce, may have been spent before the state's memory begins. */
  | { readonly kind: 'unknown'; readonly retryAfter: number }
  /** As many nonces of the seed, or of all of them, are remembered as there is room for. None is forgotten early. */
  | { readonly kind: 'full'; readonly retryAfter: number }

/** What a guess turned out to be: a code of a live seed, but of a time step outside of the window. */
export interface LateCode {
  readonly timeStep: number
  /** In time steps; negative for a code that was valid before. */
  readonly drift: number
}

/**
 * Remembers attempts and decides whether one is accepted: replay protection and throttling in one atomic step.
 *
 * In this order:
 *
 * 1. While a budget of one of the seeds is exhausted, every attempt is `throttled`.
 * 2. A guess is `wrong`. It is counted at each of the seeds, once per distinct code and time step.
 * 3. Under `reuse`, a match is `accepted`. Its time step is claimed all the same, for when the policy becomes `once`.
 * 4. Under `once`, a match is `replayed` unless its time step is newer than the last one claimed for its seed; `unknown`
 *    if that step may have been spent before the memory begins; otherwise it is claimed and `accepted`. The last claim
 *    of a seed is never forgotten while the seed is in use.
 *
 * An attempt with a proof takes another way, under either policy, also while a budget is exhausted: `replayed` if its
 * nonce is spent; `unknown` if it was created before the second in which the memory begins; `full`; otherwise, in one
 * step, the nonce is spent, the claim of the seed rises to the time step of the code (it never falls), and the attempt is
 * `accepted`. A nonce is forgotten only when the real time and the scheme's clock are both past `expires`.
 *
 * A state that cannot answer throws, and the request is refused.
 */
export interface State {
  /** What the state can do. A scheme whose policy needs more does not start. */
  readonly supports: { readonly once: boolean; /** Absent: false. */ readonly proofs?: boolean }
  decide(attempt: Attempt): Decision | Promise<Decision>
  /**
   * Takes back a counted guess that turned out to be a late code. It is called after the request was answered.
   *
   * A code *behind* the window is always taken back: it is over, and whoever has it learns nothing. A code *ahead* is
   * taken back only if another one of that peer was seen at the same drift (± 1) and for an earlier time step within the
   * last 20 minutes. So the first one counts, and nobody can tell from a budget that a guess was a code to come.
   *
   * Without this method, late codes count as guesses.
   *
   * @param attempt the attempt that was decided, unchanged
   * @returns whether it was taken back
   */
  takeBack?(attempt: Attempt, late: LateCode): boolean | Promise<boolean>
}

/** A code this far outside of the window is still recognised, in milliseconds. */
export const lateCodeMs = 20 * 60_000

/** Guesses with so many tokens are told apart at each seed; those with further tokens always count. */
export const mostTokensApart = 16

/** Stands for all tokens that are not told apart. */
export const anyToken = '*'

/** A clock that was set back by at most this, in milliseconds, forgets no guess early. */
export const guessSkewMs = 60_000

/** In milliseconds, how long a claim outlives its code, since clocks can be set back. There is one for each seed. */
export const claimKeptMs = 31 * 24 * 3600 * 1000

/** Whole seconds from one instant to another (both in milliseconds), rounded up, at least 1. */
export function secondsUntil(instant: number, at: number): number {
  return Math.max(1, Math.ceil((instant - at) / 1000))
}

/**
 * The decision for a spent time step. The next step is accepted again.
 *
 * @param last the last claimed time step
 */
export function replayed({ timeStep, period, at }: Attempt, last: number): Decision {
  const turn = (Math.max(last, timeStep) + 1) * period * 1000
  return { kind: 'replayed', retryAfter: secondsUntil(turn, at.getTime()) }
}

/**
 * The decision for a time step that may have been spent before the state's memory begins.
 *
 * @param since when the memory begins, in milliseconds
 */
export function unknown({ period, window, at }: Attempt, since: number): Decision {
  const firstKnown = Math.ceil(since / (period * 1000)) + window
  return { kind: 'unknown', retryAfter: secondsUntil(firstKnown * period * 1000, at.getTime()) }
}

/**
 * The decision for a proof whose nonce may have been spent and forgotten.
 *
 * @param knownFrom the unix second from which on created proofs are known
 */
export function unknownProof({ at }: Attempt, knownFrom: number): Decision {
  return { kind: 'unknown', retryAfter: secondsUntil(knownFrom * 1000, at.getTime()) }
}

/**
 * The decision for a proof whose nonce there is no room for.
 *
 * @param roomFrom the unix second from which on there may be some
 */
export function full({ at }: Attempt, roomFrom: number): Decision {
  return { kind: 'full', retryAfter: secondsUntil(roomFrom * 1000, at.getTime()) }
}

/** The decision while a budget is exhausted, for that many milliseconds more. */
export function throttled(waitMs: number): Decision {
  return { kind: 'throttled', retryAfter: secondsUntil(waitMs, 0) }
}

/** When a code of the time step can first be accepted, in milliseconds: the peer may be ahead by the window. */
export function acceptableFrom({ period, window }: Attempt, timeStep: number): number {
  return (timeStep - window) * period * 1000
}

/** How long a code is acceptable, in milliseconds. */
export function lifeMs({ period, window }: Attempt): number {
  return (2 * window + 1) * period * 1000
}
