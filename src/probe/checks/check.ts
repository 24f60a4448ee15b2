import type { CellCheckId, CheckId, RunCheckId } from '../check-ids.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import type { Attempt } from '../run/exchange.js'
import type { Material } from '../run/material.js'
import type { Situation } from '../run/plan.js'
import type { WrongCodes } from '../run/codes.js'
import type { NoAnswer } from '../wire/raw-answer.js'
import type { Verdict } from './verdict.js'

/** A request that a check asks for: what is special about it, and the header lines that make it so. */
export interface Ask extends Partial<Pick<Attempt, 'operation' | 'again'>> {
  readonly label: string
  readonly fields: Attempt['fields']
}

/** A request with a wrong code beside the live token. */
export interface Guess {
  readonly label: string
  /** The wrong code; undefined where there is none, and nothing is sent. */
  readonly code: string | undefined
  readonly operation?: 'subscribe'
  /** The check that spends the code anyway: where that is not made, the code is not spent for this one. */
  readonly with?: CheckId
}

/** A reason why right credentials may be let in nowhere, and the request that is let in if it is so. */
export interface Hypothesis extends Ask {
  /** The reason, in words. */
  readonly shows: string
}

interface About {
  /** What it proves, in one line. */
  readonly proves: string
  /** What a correct agent does. */
  readonly expects: string
  /** Other checks whose requests it judges. */
  readonly needs?: readonly CheckId[]
  /** Made only when asked for: it spends more guesses than a run has. */
  readonly optIn?: true
  /** Set where a call with right credentials adds nothing to it. */
  readonly withoutCalls?: true
  /** Requests that should be refused and spend no guess. */
  readonly attempts?: (material: Material) => readonly Ask[]
  /** Set where its attempts are many and tell only where right credentials are let in: they follow the valid call. */
  readonly late?: true
  readonly guesses?: (codes: WrongCodes) => readonly Guess[]
  /** Requests that tell why right credentials are let in nowhere. */
  readonly hypotheses?: (situation: Situation) => readonly Hypothesis[]
  /** The verdict where nothing answered; without it the check is skipped. */
  readonly judgeSilence?: (silence: NoAnswer) => Verdict
  /** What a failure (or warning) means, in a paragraph. */
  readonly means: string
  /** What to do about it, the likeliest first. */
  readonly fix: readonly [string, ...string[]]
}

/** A check of the agent as a whole. */
export interface RunCheck extends About {
  readonly id: RunCheckId
  readonly scope: 'run'
  readonly judge: (evidence: Evidence) => Verdict
}

/** A check of each binding × protocol version. */
export interface CellCheck extends About {
  readonly id: CellCheckId
  readonly scope: 'cell'
  readonly judge: (cell: CellEvidence, evidence: Evidence) => Verdict
}

/** Everything about one check. Judges are pure: they look at the exchanges of a run and send nothing. */
export type Check = RunCheck | CellCheck
