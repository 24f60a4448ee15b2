import type { CellCheckId, CheckId, RunCheckId } from '../check-ids.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import type { Attempt } from '../run/exchange.js'
import type { Material } from '../run/material.js'
import type { Situation } from '../run/plan.js'
import type { WrongCodes } from '../run/codes.js'
import type { NoAnswer } from '../wire/raw-answer.js'
import type { Verdict } from './verdict.js'

/** A request that a check asks for: a label, and the header lines with credentials. */
export interface Ask extends Partial<Pick<Attempt, 'operation' | 'again' | 'signing'>> {
  readonly label: string
  readonly fields: Attempt['fields']
}

/** A request with a wrong code beside the live token. */
interface Guess {
  readonly label: string
  /** The wrong code; if undefined, nothing is sent. */
  readonly code: string | undefined
  readonly operation?: 'subscribe'
  /** The check that spends the code anyway: if it does not run, this request is not sent. */
  readonly with?: CheckId
}

/** A possible reason why no cell lets right credentials in, and the request that is let in if it is the reason. */
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
  /** Runs only on request: it spends more guesses than a run may. */
  readonly optIn?: true
  /** Set if a call with right credentials adds nothing to it. */
  readonly withoutCalls?: true
  /** Requests that should be refused and spend no guess. */
  readonly attempts?: (material: Material) => readonly Ask[]
  /** Set if its attempts are many, and show something only if right credentials are let in: they follow the valid call. */
  readonly late?: true
  readonly guesses?: (codes: WrongCodes) => readonly Guess[]
  /** Requests that explain why no cell lets right credentials in. */
  readonly hypotheses?: (situation: Situation) => readonly Hypothesis[]
  /** The verdict if nothing answered; by default the check is skipped. */
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

/** Everything about one check. Judges are pure: they read the exchanges of a run and send nothing. */
export type Check = RunCheck | CellCheck
