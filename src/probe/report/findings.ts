import { jsonText } from '../../core/text.js'
import type { CheckId } from '../check-ids.js'
import { columnsOf, titleIn } from './columns.js'
import type { CheckResult } from './report.js'

/** What the agent answered, and the titles of the cells in which it did. */
export interface Answered {
  readonly actual: string
  readonly columns: readonly string[]
}

/** A detail, and the checks and cells that it is about. */
export interface Remark {
  readonly text: string
  readonly ids: readonly CheckId[]
  readonly columns: readonly string[]
}

/**
 * Results that are worth a paragraph together: one check in all its cells, and other checks that expected the same and
 * got the same answer from each cell.
 */
export interface Finding {
  readonly status: 'fail' | 'warn' | 'skip'
  readonly ids: readonly CheckId[]
  /** Titles of the cells; none if the agent as a whole is concerned. */
  readonly columns: readonly string[]
  readonly expected: string
  /** Each cell's own answer; none for a skip. */
  readonly answers: readonly Answered[]
  readonly remarks: readonly Remark[]
}

/** A result with the title of its cell. */
interface Placed extends CheckResult {
  readonly column: string
}

/** The results that are worth a line, the worst first. */
export function findingsOf(checks: readonly CheckResult[]): Finding[] {
  const columns = columnsOf(checks)
  const placed = checks.map((check) => ({ ...check, column: titleIn(columns, check) }))
  return (['fail', 'warn', 'skip'] as const).flatMap((status) => {
    const results = placed.filter((one) => one.status === status)
    const groups = status === 'skip' ? groupBy(results, skipKey) : failuresTogether(results)
    return groups.map((group) => findingOf(status, group))
  })
}

/** The reason why a whole cell or run was skipped is one line, not one per check. What is ignored stays apart. */
const skipKey = ({ id, detail, ignored }: Placed): string => jsonText([detail, ignored ? id : ''])

function failuresTogether(results: readonly Placed[]): Placed[][] {
  const byCheck = groupBy(results, ({ id }) => id)
  const seen = (group: readonly Placed[]): string =>
    jsonText(group.map(({ column, expected, actual }) => [column, expected, actual]))
  // What concerns the agent as a whole differs from check to check.
  const key = (group: readonly Placed[]): string => (group[0]?.column === '' ? group[0].id : seen(group))
  return groupBy(byCheck, key).map((groups) => groups.flat())
}

function findingOf(status: Finding['status'], results: readonly Placed[]): Finding {
  const answers = groupBy(results, ({ actual }) => actual)
  const remarks = groupBy(
    groupBy(results, ({ id, detail }) => jsonText([id, detail])),
    (group) => jsonText([group[0]?.detail, columnsIn(group)]),
  ).map((groups) => groups.flat())
  return {
    status,
    ids: idsIn(results),
    columns: columnsIn(results),
    expected: results[0]?.expected ?? '',
    answers:
      status === 'skip'
        ? []
        : answers.map((group) => ({ actual: group[0]?.actual ?? '', columns: columnsIn(group) })),
    remarks: remarks
      .map((group) => ({ text: remarkOf(group[0]), ids: idsIn(group), columns: columnsIn(group) }))
      .filter(({ text }) => text !== ''),
  }
}

function remarkOf(result: Placed | undefined): string {
  if (result === undefined) return ''
  const { detail, ignored } = result
  return ignored === true && !detail.startsWith('ignored') ? `ignored: ${detail}` : detail
}

/** What a remark is about, where that is not the whole finding; else empty. */
export function subjectOf({ ids, columns }: Remark, finding: Finding): string {
  const parts = [
    ...(ids.length < finding.ids.length ? [ids.join(', ')] : []),
    ...(columns.length < finding.columns.length ? [columns.join(', ')] : []),
  ]
  return parts.join(' in ')
}

/** The cells of an answer, where not all cells of the finding gave it; else empty. */
export function placeOf({ columns }: Answered, finding: Finding): string {
  return columns.length < finding.columns.length ? columns.join(', ') : ''
}

const idsIn = (results: readonly Placed[]): CheckId[] => [...new Set(results.map(({ id }) => id))]

const columnsIn = (results: readonly Placed[]): string[] => [
  ...new Set(results.map(({ column }) => column).filter((column) => column !== '')),
]

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups.values()]
}
