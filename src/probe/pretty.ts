import { Chalk, type ChalkInstance } from 'chalk'
import { titleOf } from './cells.js'
import { cellChecks, runChecks } from './judges.js'
import type { CheckResult, CheckStatus, ProbeReport } from './report.js'

export interface PrettyOptions {
  readonly color: boolean
  /** Whether symbols beyond ASCII may be used. */
  readonly symbols: boolean
}

const symbols: Readonly<Record<CheckStatus, string>> = { pass: '✔', fail: '✖', warn: '▲', skip: '–' }
const words: Readonly<Record<CheckStatus, string>> = { pass: 'ok', fail: 'FAIL', warn: 'warn', skip: '-' }
const worstFirst: readonly CheckStatus[] = ['fail', 'warn', 'skip', 'pass']

/** The report for a person: a table of checks by cells, then what is wrong, then the verdict. */
export function renderPretty(report: ProbeReport, { color, symbols: nice }: PrettyOptions): string {
  const chalk = new Chalk({ level: color ? 1 : 0 })
  const paint: Record<CheckStatus, ChalkInstance> = {
    pass: chalk.green,
    fail: chalk.red,
    warn: chalk.yellow,
    skip: chalk.dim,
  }
  const mark = (status: CheckStatus): string => (nice ? symbols : words)[status]
  const title = `${report.agent === null ? '' : `${report.agent} `}at ${report.target}`
  const lines = [chalk.bold(title), '']

  const columns = [...new Set(report.checks.filter(isOfCell).map(columnOf))]
  const widths = columns.map((column) => column.length)
  const idWidth = Math.max(...report.checks.map(({ id }) => id.length), 0)
  for (const id of runChecks) {
    const found = report.checks.find((check) => check.id === id)
    if (!found) continue
    lines.push(
      `  ${id.padEnd(idWidth)}  ${paint[found.status](mark(found.status))}  ${chalk.dim(found.actual)}`,
    )
  }
  if (columns.length > 0) lines.push('', `  ${' '.repeat(idWidth)}  ${chalk.dim(columns.join('  '))}`)
  for (const id of cellChecks) {
    const row = columns.map((column, index) => {
      // A card can name one binding and version twice: the worse counts.
      const all = report.checks.filter((check) => check.id === id && columnOf(check) === column)
      const found = worstFirst.map((status) => all.find((check) => check.status === status)).find(Boolean)
      const text = found ? mark(found.status) : ''
      return (found ? paint[found.status](text) : text) + ' '.repeat((widths[index] ?? 0) - text.length)
    })
    if (report.checks.some((check) => check.id === id)) {
      lines.push(`  ${id.padEnd(idWidth)}  ${row.join('  ')}`.trimEnd())
    }
  }

  for (const group of grouped(report.checks)) {
    const { status, id, expected, actual, detail } = group.check
    const where = group.columns.length > 0 ? `  ${group.columns.join(', ')}` : ''
    lines.push('', `${paint[status](`${mark(status)} ${id}`)}${chalk.dim(where)}`)
    if (status !== 'skip') lines.push(`    expected  ${expected}`, `    actual    ${actual}`)
    if (detail !== '') lines.push(`    ${detail}`)
  }
  lines.push('', verdict(report, chalk), '')
  const text = lines.join('\n')
  return nice ? text : text.replace(/[\u0080-\u{10ffff}]/gu, '?')
}

function verdict(report: ProbeReport, chalk: ChalkInstance): string {
  const { passed, failed, warned, skipped } = report.summary
  const counts = `${passed} passed, ${failed} failed, ${warned} warned, ${skipped} skipped`
  const cost = `${report.requests} requests, ${report.guessesSpent} guesses, ${(report.durationMs / 1000).toFixed(1)} s`
  const word = report.ok ? chalk.green.bold('PASS') : chalk.red.bold('FAIL')
  return `${word}  ${counts}  ${chalk.dim(`(${cost})`)}`
}

interface Group {
  readonly check: CheckResult
  readonly columns: string[]
}

/** What is worth a line, the same finding in several cells once; the worst first. */
function grouped(checks: readonly CheckResult[]): Group[] {
  const groups = new Map<string, Group>()
  for (const status of ['fail', 'warn', 'skip'] as const) {
    for (const check of checks.filter((one) => one.status === status)) {
      // Why a whole cell or run was skipped needs saying once, not once a check.
      const key = [status, status === 'skip' ? '' : check.id, check.detail].join('\n')
      const group = groups.get(key) ?? { check, columns: [] }
      const column = isOfCell(check) ? columnOf(check) : ''
      if (column !== '' && !group.columns.includes(column)) group.columns.push(column)
      groups.set(key, group)
    }
  }
  return [...groups.values()]
}

const isOfCell = ({ binding }: CheckResult): boolean => binding !== null

function columnOf({ binding, protocolVersion }: CheckResult): string {
  return binding === null || protocolVersion === null ? '' : titleOf({ binding, protocol: protocolVersion })
}
