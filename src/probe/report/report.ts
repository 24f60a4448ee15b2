import type { CheckId } from '../check-ids.js'
import type { CheckStatus } from '../checks/verdict.js'
import type { BindingName, ProtocolVersion } from '../target/cells.js'

export type { CheckStatus }

export interface CheckResult {
  readonly id: CheckId
  /** Null for what concerns the agent as a whole. */
  readonly binding: BindingName | null
  readonly protocolVersion: ProtocolVersion | null
  /** Where that cell is served. */
  readonly url: string | null
  /** The tenant of that cell, where its card names one: two may share a URL. */
  readonly tenant?: string
  readonly status: CheckStatus
  /** What a correct agent does. */
  readonly expected: string
  /** What this one did; may quote it, without secrets and control characters. */
  readonly actual: string
  /** What that means, why it was skipped, or how to fix it; empty if there is nothing to add. */
  readonly detail: string
  /** How long its requests took in all, in milliseconds; 0 if it judges those of other checks. */
  readonly durationMs: number
  /** Set where a row of `ignore` made a skip of a failure or warning. */
  readonly ignored?: true
}

export interface Summary {
  readonly passed: number
  readonly failed: number
  readonly warned: number
  readonly skipped: number
}

export interface ProbeReport {
  /** Of the report's form. */
  readonly version: 1
  /** The URL, as given. */
  readonly target: string
  /** The agent's name in the store, else in its card; null if neither has one. */
  readonly agent: string | null
  /** RFC 3339. */
  readonly startedAt: string
  /** How long the run took, in milliseconds. */
  readonly durationMs: number
  /** No check failed, and with `strict` none warned. */
  readonly ok: boolean
  /** Whether warnings count as failures. */
  readonly strict: boolean
  /** Whether the agent answered at all. */
  readonly reachable: boolean
  /** The options that narrowed the run, as given, such as `--only auth.none`; empty for a whole run. */
  readonly narrowed: readonly string[]
  /** One sentence that explains most of what failed, with the URL of the interface. */
  readonly diagnosis?: string
  /** The check whose explanation to read about the diagnosis. */
  readonly explain?: CheckId
  /** Distinct wrong codes sent with the live token. */
  readonly guessesSpent: number
  /** Requests sent, those for the card included. */
  readonly requests: number
  readonly summary: Summary
  readonly checks: readonly CheckResult[]
}

/** Whether a result makes the report not ok. */
export const isFailing = (
  { status }: Pick<CheckResult, 'status'>,
  { strict }: Pick<ProbeReport, 'strict'>,
): boolean => status === 'fail' || (strict && status === 'warn')

export function summarise(results: readonly CheckResult[]): Summary {
  const count = (status: CheckStatus): number => results.filter((result) => result.status === status).length
  return { passed: count('pass'), failed: count('fail'), warned: count('warn'), skipped: count('skip') }
}
