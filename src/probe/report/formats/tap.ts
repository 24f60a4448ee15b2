import { jsonText } from '../../../core/text.js'
import { addressesOf, columnsOf, titleIn, type Column } from '../columns.js'
import { isFailing, type CheckResult, type ProbeReport } from '../report.js'
import { costOf, countsOf, diagnosisOf, explainCommand, narrowingOf, verdictOf } from '../words.js'

/**
 * The report as TAP 14 (Test Anything Protocol): a test for each check and cell. A warning is `ok` with a diagnostic,
 * unless the run is strict.
 */
export function renderTap(report: ProbeReport): string {
  const columns = columnsOf(report.checks)
  const narrowing = narrowingOf(report)
  const narrowed = narrowing === '' ? [] : [comment(narrowing)]
  const diagnosis = diagnosisOf(report)
  return [
    'TAP version 14',
    ...(diagnosis === '' ? [] : [comment(`diagnosis: ${diagnosis}`)]),
    ...narrowed,
    comment(`target: ${report.target}`),
    ...addressesOf(columns).map(({ titles, url }) => comment(`${titles}: ${url}`)),
    `1..${report.checks.length}`,
    ...report.checks.flatMap((check, index) => testOf(check, index + 1, columns, report)),
    comment(`${verdictOf(report)} ${countsOf(report)} (${costOf(report)})`),
    ...narrowed,
    '',
  ].join('\n')
}

/** No comment begins with `Subtest`, which would open one. */
export const comment = (text: string): string => `# ${text}`

function testOf(
  check: CheckResult,
  number: number,
  columns: readonly Column[],
  report: ProbeReport,
): string[] {
  const { id, status, detail } = check
  const column = titleIn(columns, check)
  const name = `${number} - ${id}${column === '' ? '' : ` (${column})`}`
  if (status === 'skip') return [`ok ${name} # SKIP ${escaped(detail)}`]
  if (isFailing(check, report)) return [`not ok ${name}`, ...diagnostics(check)]
  return [`ok ${name}`, ...(status === 'warn' ? diagnostics(check) : [])]
}

function diagnostics({ id, status, expected, actual, detail, url, durationMs }: CheckResult): string[] {
  return block({
    severity: status,
    message: detail,
    expected,
    actual,
    ...(url === null ? {} : { url }),
    duration_ms: durationMs,
    explain: explainCommand(id),
  })
}

/** A block of YAML, each value as JSON, of which YAML is a superset. */
export function block(values: Readonly<Record<string, unknown>>): string[] {
  return ['  ---', ...Object.entries(values).map(([key, value]) => `  ${key}: ${jsonText(value)}`), '  ...']
}

/** A number sign begins a directive, and a backslash takes its meaning from it. */
export const escaped = (text: string): string => text.replace(/[\\#]/g, '\\$&')
