import { titleOf } from '../target/cells.js'
import type { CheckResult } from './report.js'

/** A result that is worth a line, with the cells that have it; none for what concerns the agent as a whole. */
export interface ReportLine {
  readonly check: CheckResult
  readonly columns: readonly string[]
}

/** What is worth a line: the same result in several cells once, the worst first. */
export function linesOf(checks: readonly CheckResult[]): ReportLine[] {
  const groups = new Map<string, { readonly check: CheckResult; readonly columns: string[] }>()
  for (const status of ['fail', 'warn', 'skip'] as const) {
    for (const check of checks.filter((one) => one.status === status)) {
      // Why a whole cell or run was skipped needs saying once, not once a check.
      const key = [status, status === 'skip' ? '' : check.id, check.detail].join('\n')
      const group = groups.get(key) ?? { check, columns: [] }
      const column = columnOf(check)
      if (column !== '' && !group.columns.includes(column)) group.columns.push(column)
      groups.set(key, group)
    }
  }
  return [...groups.values()]
}

/** The cell of a result as people call it; empty for what concerns the agent as a whole. */
export function columnOf({ binding, protocolVersion }: CheckResult): string {
  return binding === null || protocolVersion === null ? '' : titleOf({ binding, protocol: protocolVersion })
}

/** The results of one check in one column, the worst of several: a card can name one cell twice. */
export function worstIn(checks: readonly CheckResult[], id: string, column: string): CheckResult | undefined {
  const all = checks.filter((check) => check.id === id && columnOf(check) === column)
  return (['fail', 'warn', 'skip', 'pass'] as const)
    .map((status) => all.find((check) => check.status === status))
    .find((check) => check !== undefined)
}
