import { Chalk, type ChalkInstance } from 'chalk'
import { columnOf, linesOf, worstIn } from '../lines.js'
import { cellCheckIds, runCheckIds } from '../../check-ids.js'
import type { CheckStatus, ProbeReport } from '../report.js'

export interface PrettyOptions {
  readonly color: boolean
  /** Whether symbols beyond ASCII may be used. */
  readonly symbols: boolean
}

const symbols: Readonly<Record<CheckStatus, string>> = { pass: '✔', fail: '✖', warn: '▲', skip: '–' }
const words: Readonly<Record<CheckStatus, string>> = { pass: 'ok', fail: 'FAIL', warn: 'warn', skip: '-' }

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
  const title = `${nameOf(report)}at ${report.target}`
  const lines = [chalk.bold(title), '']

  const columns = [...new Set(report.checks.map(columnOf))].filter((column) => column !== '')
  const widths = columns.map((column) => column.length)
  const idWidth = Math.max(...report.checks.map(({ id }) => id.length), 0)
  for (const id of runCheckIds) {
    const found = report.checks.find((check) => check.id === id)
    if (!found) continue
    lines.push(
      `  ${id.padEnd(idWidth)}  ${paint[found.status](mark(found.status))}  ${chalk.dim(found.actual)}`,
    )
  }
  if (columns.length > 0) lines.push('', `  ${' '.repeat(idWidth)}  ${chalk.dim(columns.join('  '))}`)
  for (const id of cellCheckIds) {
    const row = columns.map((column, index) => {
      const found = worstIn(report.checks, id, column)
      const text = found ? mark(found.status) : ''
      return (found ? paint[found.status](text) : text) + ' '.repeat((widths[index] ?? 0) - text.length)
    })
    if (report.checks.some((check) => check.id === id)) {
      lines.push(`  ${id.padEnd(idWidth)}  ${row.join('  ')}`.trimEnd())
    }
  }

  for (const { check, columns: cells } of linesOf(report.checks)) {
    const { status, id, expected, actual, detail } = check
    const where = cells.length > 0 ? `  ${cells.join(', ')}` : ''
    lines.push('', `${paint[status](`${mark(status)} ${id}`)}${chalk.dim(where)}`)
    if (status !== 'skip') lines.push(`    expected  ${expected}`, `    actual    ${actual}`)
    if (detail !== '') lines.push(`    ${detail}`)
  }
  lines.push('', verdict(report, chalk), '')
  const text = lines.join('\n')
  return nice ? text : text.replace(/[\u0080-\u{10ffff}]/gu, '?')
}

/** The agent's name; without what makes a line a command to the log of a CI system (`::error::`, `##[error]`). */
function nameOf({ agent }: ProbeReport): string {
  const name = agent?.replace(/^[^\p{L}\p{N}]+/u, '') ?? ''
  return name === '' ? '' : `${name} `
}

function verdict(report: ProbeReport, chalk: ChalkInstance): string {
  const word = report.ok ? chalk.green.bold('PASS') : chalk.red.bold('FAIL')
  return `${word}  ${countsOf(report)}  ${chalk.dim(`(${costOf(report)})`)}`
}

/** The numbers of each status. */
export function countsOf({ summary: { passed, failed, warned, skipped } }: ProbeReport): string {
  return `${passed} passed, ${failed} failed, ${warned} warned, ${skipped} skipped`
}

/** What a run cost. */
export function costOf({ requests, guessesSpent, durationMs }: ProbeReport): string {
  return `${requests} requests, ${guessesSpent} guesses, ${(durationMs / 1000).toFixed(1)} s`
}
