import type { ProbeOptions } from '../options.js'
import type { Pace } from './pace.js'
import type { Plan } from './plan.js'
import type { Proofs } from './proofs.js'
import type { ThrottleWait } from './throttle-wait.js'
import type { ValidCodes } from './valid-codes.js'

/** What every step of a run works with. */
export interface Session {
  readonly options: ProbeOptions
  readonly plan: Plan
  /** The codes for calls that should be let in. The card may have taken some of them. */
  readonly codes: ValidCodes
  /** What is known of proofs, and what makes them. */
  readonly proofs: Proofs
  /** Distinct wrong codes sent with the live token so far. */
  readonly spent: Set<string>
  /** Waits. `what` says what for, in words, to whoever follows the progress. */
  readonly sleep: (ms: number, what?: string) => Promise<void>
  readonly announce: (text: string) => void
  readonly throttleWait: ThrottleWait
  readonly pace: Pick<Pace, 'timeFor'>
}
