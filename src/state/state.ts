import type { ReplayPolicy } from '../core/profile.js'
import type { Budget } from './budgets.js'

/** What comparing the code showed: it matched a time step of a seed, or it was a guess. */
export type Comparison =
  | { readonly kind: 'match'; readonly seedId: string; readonly timeStep: number }
  | {
      readonly kind: 'guess'
      /** The wrong code, to tell it from others of its time step. A state that stores it elsewhere hashes it. */
      readonly code: string
    }

/** A well-formed code that came with a live token of the peer. */
export interface Attempt {
  readonly peer: string
  /** `sha256:` and hex. Budgets are kept per (peer, token), so that a new token starts afresh. */
  readonly tokenHash: string
  readonly policy: ReplayPolicy
  /** What the peer may spend on wrong guesses; none throttle nothing. */
  readonly budgets: readonly Budget[]
  readonly at: Date
  /** The current time step, which a guess belongs to. */
  readonly timeStep: number
  /** In seconds. */
  readonly period: number
  /** In time steps. */
  readonly window: number
  readonly comparison: Comparison
}

/** The state's answer. `retryAfter` is in whole seconds, at least 1. */
export type Decision =
  | { readonly kind: 'accepted' }
  /** `tripped` exactly on the guess that exhausts a budget. */
  | { readonly kind: 'wrong'; readonly tripped: boolean }
  /** The time step is spent: it or a newer one was claimed. */
  | { readonly kind: 'replayed'; readonly retryAfter: number }
  /** A budget is exhausted: nothing was evaluated. */
  | { readonly kind: 'throttled'; readonly retryAfter: number }
  /** The time step could have been spent before the state's memory begins. */
  | { readonly kind: 'unknown'; readonly retryAfter: number }

/**
 * Says whether an attempt may pass: replay protection and throttle in one question, asked and answered in one
 * atomic step. In this order: an exhausted budget is `throttled`; a guess is counted, once per distinct code
 * and time step, and `wrong`; under `reuse` a match is `accepted`; under `once` a match of a step that is not
 * newer than the last claimed one of (peer, seed id) is `replayed`, one that the state cannot know about is
 * `unknown`, any other is claimed and `accepted`.
 *
 * A state that cannot answer throws, and the request is refused.
 */
export interface State {
  /** What the state can do; a scheme whose policy needs more refuses to start. */
  readonly supports: { readonly once: boolean }
  decide(attempt: Attempt): Decision | Promise<Decision>
}

/** Whole seconds from one instant to another (both in milliseconds), rounded up, at least 1. */
export function secondsUntil(instant: number, at: number): number {
  return Math.max(1, Math.ceil((instant - at) / 1000))
}

/**
 * The refusal of a spent time step: the next one to come is good again.
 *
 * @param last the last claimed time step
 */
export function replayed({ timeStep, period, at }: Attempt, last: number): Decision {
  const turn = (Math.max(last, timeStep) + 1) * period * 1000
  return { kind: 'replayed', retryAfter: secondsUntil(turn, at.getTime()) }
}

/**
 * The refusal of a time step that may have been spent before the state's memory begins.
 *
 * @param since when it begins, in milliseconds
 */
export function unknown({ period, window, at }: Attempt, since: number): Decision {
  const firstKnown = Math.ceil(since / (period * 1000)) + window
  return { kind: 'unknown', retryAfter: secondsUntil(firstKnown * period * 1000, at.getTime()) }
}

/** The refusal while a budget is exhausted, which lasts so many milliseconds more. */
export function throttled(waitMs: number): Decision {
  return { kind: 'throttled', retryAfter: secondsUntil(waitMs, 0) }
}

/** A key that no other pair of texts has. */
export function pairOf(peer: string, other: string): string {
  return `${peer.length}:${peer}${other}`
}

/** When a code of the time step can first be accepted, in milliseconds: its peer may be ahead by the window. */
export function acceptableFrom({ period, window }: Attempt, timeStep: number): number {
  return (timeStep - window) * period * 1000
}

/** From when on a code of the time step is never accepted again, in milliseconds. */
export function acceptableUntil({ period, window }: Attempt, timeStep: number): number {
  return (timeStep + 1 + window) * period * 1000
}

/** How long a code can be accepted at all, in milliseconds. */
export function lifeMs({ period, window }: Attempt): number {
  return (2 * window + 1) * period * 1000
}
