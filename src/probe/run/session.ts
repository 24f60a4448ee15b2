import type { ProbeOptions } from '../options.js'
import type { Plan } from './plan.js'
import type { ThrottleWait } from './throttle-wait.js'
import type { ValidCodes } from './valid-codes.js'

/** What every step of a run works with. */
export interface Session {
  readonly options: ProbeOptions
  readonly plan: Plan
  /** The codes for calls that should be let in. The card may have taken some of them. */
  readonly codes: ValidCodes
  /** Distinct wrong codes sent with the live token so far. */
  readonly spent: Set<string>
  readonly sleep: (ms: number) => Promise<void>
  readonly announce: (text: string) => void
  readonly throttleWait: ThrottleWait
}
