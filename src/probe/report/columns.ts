import { jsonText } from '../../core/text.js'
import { titleOf } from '../target/cells.js'
import type { CheckResult } from './report.js'

/** A cell as a column of the report. */
export interface Column {
  /** Unlike any other column's: a second REST 1.0, at another URL or for another tenant, is `REST 1.0 (2)`. */
  readonly title: string
  readonly url: string
  readonly holds: (check: CheckResult) => boolean
}

/** The cells of a report, in the order of its checks. */
export function columnsOf(checks: readonly CheckResult[]): Column[] {
  const seen = new Map<string, number>()
  const columns = new Map<string, Column>()
  for (const check of checks) {
    const { binding, protocolVersion } = check
    const key = keyOf(check)
    if (binding === null || protocolVersion === null || columns.has(key)) continue
    const title = titleOf({ binding, protocol: protocolVersion })
    const ordinal = (seen.get(title) ?? 0) + 1
    seen.set(title, ordinal)
    columns.set(key, {
      title: ordinal === 1 ? title : `${title} (${ordinal})`,
      url: check.url ?? '',
      holds: (other) => keyOf(other) === key,
    })
  }
  return [...columns.values()]
}

const keyOf = ({ binding, protocolVersion, url, tenant }: CheckResult): string =>
  jsonText([binding, protocolVersion, url, tenant ?? null])

/** The title of a result's column; empty if the result concerns the agent as a whole. */
export function titleIn(columns: readonly Column[], check: CheckResult): string {
  return columns.find(({ holds }) => holds(check))?.title ?? ''
}

/** The worst result of one check in one column. */
export function worstIn(
  checks: readonly CheckResult[],
  id: string,
  { holds }: Pick<Column, 'holds'>,
): CheckResult | undefined {
  const all = checks.filter((check) => check.id === id && holds(check))
  return (['fail', 'warn', 'skip', 'pass'] as const)
    .map((status) => all.find((check) => check.status === status))
    .find((check) => check !== undefined)
}

/** The addresses of the cells, each once, with the titles of the cells that it serves. */
export function addressesOf(columns: readonly Column[]): { readonly url: string; readonly titles: string }[] {
  const urls = [...new Set(columns.map(({ url }) => url))]
  return urls.map((url) => ({
    url,
    titles: columns
      .filter((column) => column.url === url)
      .map(({ title }) => title)
      .join(', '),
  }))
}
