import type { CheckId } from '../check-ids.js'
import type { ProbeOptions } from '../options.js'
import type { Cell } from '../target/cells.js'
import type { Discovery } from '../target/discovery.js'
import type { NoAnswer } from '../wire/raw-answer.js'
import type { Exchange } from './exchange.js'
import type { ProofKnowledge } from './proof-knowledge.js'
import type { Secrets } from './secrets.js'
import type { Waited } from './throttle-wait.js'

/** What happened in one cell. */
export interface CellEvidence {
  readonly cell: Cell
  /** In the order in which they were sent. */
  readonly exchanges: readonly Exchange[]
  /** Why a check has nothing to judge, if that is so. */
  readonly whyNotSent: string
  /** Whether the run waited because right credentials were throttled. */
  readonly waited: Waited | undefined
  /**
   * Checks that were begun, or follow from what others sent, when the deadline passed, and those of which refusals show
   * nothing.
   */
  readonly unfinished: ReadonlySet<CheckId>
  /** What was not tested there, in words: "the method ListTasks was not tried". `coverage` names each. */
  readonly gaps: readonly string[]
}

/** Everything that a run saw. */
export interface Evidence {
  readonly options: ProbeOptions
  readonly target: URL
  readonly discovery: Discovery
  /** Set when nothing answered, so that no cell was tried. */
  readonly silence: NoAnswer | undefined
  readonly cells: readonly CellEvidence[]
  /** Every request of the run. */
  readonly exchanges: readonly Exchange[]
  /** What the reader of a report is told beside the verdicts: that the run had to slow down. */
  readonly remarks: readonly string[]
  /** Why nothing was sent for a check in any cell. */
  readonly whyNotSent: Readonly<Partial<Record<CheckId, string>>>
  readonly secrets: Secrets
  readonly proofs: ProofKnowledge
  /** Distinct wrong codes sent with the live token. */
  readonly guessesSpent: number
  /** Requests sent, including those that a closed idle connection lost. */
  readonly requests: number
}
