import type { ReplayPolicy } from '../core/profile.js'
import type { Budget } from './budgets.js'

/** What comparing the code showed: it matched a time step of a seed, or it is a guess. */
export type Comparison =
  | { readonly kind: 'match'; readonly seedId: string; readonly timeStep: number }
  | {
      readonly kind: 'guess'
      /** The wrong code, to tell distinct guesses of a time step apart. A state that stores it outside this process hashes it. */
      readonly code: string
    }

/** A request with a live token of the peer and a well-formed code. */
export interface Attempt {
  readonly peer: string
  /** `sha256:` and hex. Budgets are kept per (peer, token), so a new token starts with full budgets. */
  readonly tokenHash: string
  readonly policy: ReplayPolicy
  /** The limits on the peer's guesses; without any, nothing is throttled. */
  readonly budgets: readonly Budget[]
  readonly at: Date
  /** The current time step, to which a guess belongs. */
  readonly timeStep: number
  /** In seconds. */
  readonly period: number
  /** In time steps. */
  readonly window: number
  readonly comparison: Comparison
}

/** What a state returns for an attempt. `retryAfter` is in whole seconds, at least 1. */
export type Decision =
  | { readonly kind: 'accepted' }
  /** `tripped` is true only for the guess that exhausts a budget. */
  | { readonly kind: 'wrong'; readonly tripped: boolean }
  /** The time step is spent: it or a newer one was claimed. */
  | { readonly kind: 'replayed'; readonly retryAfter: number }
  /** A budget is exhausted; the comparison was ignored. */
  | { readonly kind: 'throttled'; readonly retryAfter: number }
  /** The time step may have been spent before the state's memory begins. */
  | { readonly kind: 'unknown'; readonly retryAfter: number }

/**
 * Remembers attempts and decides whether one is accepted: replay protection and throttling in one atomic step.
 *
 * In this order:
 *
 * 1. While a budget is exhausted, every attempt is `throttled`.
 * 2. A guess is `wrong`. It is counted once per distinct code and time step.
 * 3. Under `reuse`, a match is `accepted`.
 * 4. Under `once`, a match is `replayed` unless its time step is newer than the last one claimed for (peer, seed id);
 *    `unknown` if that step may have been spent before the memory begins; otherwise it is claimed and `accepted`.
 *
 * A state that cannot answer throws, and the request is refused.
 */
export interface State {
  /** What the state can do. A scheme whose policy needs more does not start. */
  readonly supports: { readonly once: boolean }
  decide(attempt: Attempt): Decision | Promise<Decision>
}

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

/** The decision while a budget is exhausted, for that many milliseconds more. */
export function throttled(waitMs: number): Decision {
  return { kind: 'throttled', retryAfter: secondsUntil(waitMs, 0) }
}

/** A key that is different for each pair of strings. */
export function pairOf(peer: string, other: string): string {
  return `${peer.length}:${peer}${other}`
}

/** When a code of the time step can first be accepted, in milliseconds: the peer may be ahead by the window. */
export function acceptableFrom({ period, window }: Attempt, timeStep: number): number {
  return (timeStep - window) * period * 1000
}

/** When a code of the time step stops being acceptable, in milliseconds. */
export function acceptableUntil({ period, window }: Attempt, timeStep: number): number {
  return (timeStep + 1 + window) * period * 1000
}

/** How long a code is acceptable, in milliseconds. */
export function lifeMs({ period, window }: Attempt): number {
  return (2 * window + 1) * period * 1000
}
