import { infoOf, type CheckId } from '../checks/catalogue.js'
import type { BindingName, Cell, ProtocolVersion } from '../target/cells.js'

export type CheckStatus = 'pass' | 'fail' | 'warn' | 'skip'

/** What a check came to. */
export interface Verdict {
  readonly status: CheckStatus
  /** What the agent did. */
  readonly actual: string
  /** What it means or how to mend it; empty when there is nothing to add. */
  readonly detail: string
  /** How long its requests took, in milliseconds. */
  readonly durationMs?: number
}

export interface CheckResult {
  readonly id: CheckId
  /** Null for what concerns the agent as a whole. */
  readonly binding: BindingName | null
  readonly protocolVersion: ProtocolVersion | null
  /** Where that cell is served. */
  readonly url: string | null
  readonly status: CheckStatus
  readonly expected: string
  readonly actual: string
  readonly detail: string
  readonly durationMs: number
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
  readonly target: string
  readonly agent: string | null
  /** RFC 3339. */
  readonly startedAt: string
  readonly durationMs: number
  /** No check failed, and with `strict` none warned. */
  readonly ok: boolean
  /** Whether warnings count as failures. */
  readonly strict: boolean
  /** Whether the agent answered at all. */
  readonly reachable: boolean
  /** Distinct wrong codes sent with the live token. */
  readonly guessesSpent: number
  readonly requests: number
  readonly summary: Summary
  readonly checks: readonly CheckResult[]
}

/** Whether a result makes the report not ok. */
export const isFailing = ({ status }: CheckResult, { strict }: Pick<ProbeReport, 'strict'>): boolean =>
  status === 'fail' || (strict && status === 'warn')

export const passed = (actual: string, detail = ''): Verdict => ({ status: 'pass', actual, detail })
export const failed = (actual: string, detail: string): Verdict => ({ status: 'fail', actual, detail })
export const warned = (actual: string, detail: string): Verdict => ({ status: 'warn', actual, detail })
export const skipped = (detail: string): Verdict => ({ status: 'skip', actual: 'not tested', detail })

/** One line of the report. A cell of null is the agent as a whole. */
export function toResult(
  id: CheckId,
  cell: Cell | null,
  { status, actual, detail, durationMs = 0 }: Verdict,
  clean: (text: string) => string,
): CheckResult {
  return {
    id,
    binding: cell?.binding ?? null,
    protocolVersion: cell?.protocol ?? null,
    url: cell?.url.href ?? null,
    status,
    expected: infoOf(id).expects,
    actual: clean(actual),
    detail: clean(detail),
    durationMs: Math.round(durationMs),
  }
}

export function summarise(results: readonly CheckResult[]): Summary {
  const count = (status: CheckStatus): number => results.filter((result) => result.status === status).length
  return { passed: count('pass'), failed: count('fail'), warned: count('warn'), skipped: count('skip') }
}
