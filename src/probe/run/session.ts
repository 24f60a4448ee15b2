import type { ProbeOptions } from '../options.js'
import type { Plan } from './plan.js'
import type { ThrottleWait } from './throttle-wait.js'

/** What every step of a run works with. */
export interface Session {
  readonly options: ProbeOptions
  readonly plan: Plan
  /** Distinct wrong codes sent with the live token so far. */
  readonly spent: Set<string>
  readonly sleep: (ms: number) => Promise<void>
  readonly announce: (text: string) => void
  readonly throttleWait: ThrottleWait
}
