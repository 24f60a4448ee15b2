import { titleOf } from '../target/cells.js'
import type { CheckResult } from './report.js'

/** A result that is worth a line, with its cells; none if it concerns the agent as a whole. */
export interface ReportLine {
  readonly check: CheckResult
  readonly columns: readonly string[]
}

/** The results that are worth a line, the worst first; the same result in several cells is one line. */
export function linesOf(checks: readonly CheckResult[]): ReportLine[] {
  const groups = new Map<string, { readonly check: CheckResult; readonly columns: string[] }>()
  for (const status of ['fail', 'warn', 'skip'] as const) {
    for (const check of checks.filter((one) => one.status === status)) {
      // The reason why a whole cell or run was skipped is one line, not one per check.
      const key = [status, status === 'skip' ? '' : check.id, check.detail].join('\n')
      const group = groups.get(key) ?? { check, columns: [] }
      const column = columnOf(check)
      if (column !== '' && !group.columns.includes(column)) group.columns.push(column)
      groups.set(key, group)
    }
  }
  return [...groups.values()]
}

/** The title of a result's cell; empty if the result concerns the agent as a whole. */
export function columnOf({ binding, protocolVersion }: CheckResult): string {
  return binding === null || protocolVersion === null ? '' : titleOf({ binding, protocol: protocolVersion })
}

/** The worst result of one check in one column: a card can name a cell twice. */
export function worstIn(checks: readonly CheckResult[], id: string, column: string): CheckResult | undefined {
  const all = checks.filter((check) => check.id === id && columnOf(check) === column)
  return (['fail', 'warn', 'skip', 'pass'] as const)
    .map((status) => all.find((check) => check.status === status))
    .find((check) => check !== undefined)
}
