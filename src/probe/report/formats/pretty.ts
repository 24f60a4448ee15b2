import { Chalk, type ChalkInstance } from 'chalk'
import { asciiOf } from '../../../core/ascii.js'
import { cellCheckIds, runCheckIds } from '../../check-ids.js'
import { addressesOf, columnsOf, worstIn, type Column } from '../columns.js'
import { findingsOf, placeOf, subjectOf, type Finding } from '../findings.js'
import type { CheckStatus, ProbeReport } from '../report.js'
import {
  costOf,
  strictCountsOf,
  diagnosisOf,
  explainCommand,
  joined,
  narrowingOf,
  statusSymbols,
  statusWords,
  verdictOf,
} from '../words.js'
import type { FormatOptions } from './options.js'

/** How a report for a person is written. */
export interface Style {
  readonly chalk: ChalkInstance
  readonly mark: (status: CheckStatus) => string
  readonly paint: Readonly<Record<CheckStatus, ChalkInstance>>
}

/** The style of a report: colours and symbols, or neither. */
export function styleOf({ color = false, symbols = false }: FormatOptions): Style {
  const chalk = new Chalk({ level: color ? 1 : 0 })
  const paint = { pass: chalk.green, fail: chalk.red, warn: chalk.yellow, skip: chalk.dim }
  return { chalk, paint, mark: (status: CheckStatus) => (symbols ? statusSymbols : statusWords)[status] }
}

/** Lines as one text, in ASCII alone where there are no symbols. */
export function textOf(lines: readonly string[], { symbols = false }: FormatOptions): string {
  const text = lines.join('\n')
  return symbols ? text : asciiOf(text).replace(/[\u0080-\u{10ffff}]/gu, '?')
}

/** The report for a person: a diagnosis, a table of checks by cells, then what is wrong, then the verdict. */
export function renderPretty(report: ProbeReport, options: FormatOptions): string {
  const style = styleOf(options)
  const lines = [
    ...opening(report, style),
    '',
    ...table(report, style),
    ...findingsOf(report.checks).flatMap((finding) => ['', ...paragraph(finding, style)]),
    '',
    closing(report, style),
    '',
  ]
  return textOf(lines, options)
}

/** The first line says by what the run was narrowed. */
function opening(report: ProbeReport, { chalk }: Style): string[] {
  const diagnosis = diagnosisOf(report)
  const title = chalk.bold(joined(' ', report.agent ?? '', `at ${report.target}`))
  const narrowing = narrowingOf(report)
  const narrowed = narrowing === '' ? '' : chalk.yellow(narrowing)
  return diagnosis === ''
    ? [joined('  ', title, narrowed)]
    : [joined('  ', chalk.red.bold(diagnosis), narrowed), title]
}

function table({ checks }: ProbeReport, style: Style): string[] {
  const { chalk, mark, paint } = style
  const columns = columnsOf(checks)
  const width = Math.max(...checks.map(({ id }) => id.length), 0)
  const ofRun = runCheckIds.flatMap((id) => {
    const found = checks.find((check) => check.id === id)
    if (!found) return []
    return [`  ${id.padEnd(width)}  ${paint[found.status](mark(found.status))}  ${chalk.dim(found.actual)}`]
  })
  const titles = chalk.dim(columns.map(({ title }) => title).join('  '))
  const ofCells = rowsOf(checks).map(([name, id]) => {
    const row = columns.map((column) => cellOf(checks, id, column, style))
    return `  ${name.padEnd(width)}  ${row.join('  ')}`.trimEnd()
  })
  if (columns.length === 0) return [...ofRun, ...ofCells]
  return [...ofRun, '', `  ${' '.repeat(width)}  ${titles}`, ...ofCells, '', ...legend(columns, style)]
}

/** The rows of the table, each with the check that it shows. Where nothing about proofs was tested, one row says so. */
function rowsOf(checks: ProbeReport['checks']): readonly (readonly [name: string, id: string])[] {
  const ids = cellCheckIds.filter((id) => checks.some((check) => check.id === id))
  const ofProofs = ids.filter((id) => id.startsWith('signed.'))
  const untested = checks.every(({ id, status }) => !id.startsWith('signed.') || status === 'skip')
  if (!untested || ofProofs.length <= mostIds) return ids.map((id) => [id, id])
  return ids
    .filter((id) => !ofProofs.slice(1).includes(id))
    .map((id) => [id === ofProofs[0] ? 'signed.*' : id, id])
}

function cellOf(checks: ProbeReport['checks'], id: string, column: Column, { mark, paint }: Style): string {
  const found = worstIn(checks, id, column)
  const text = found ? mark(found.status) : ''
  return (found ? paint[found.status](text) : text) + ' '.repeat(column.title.length - text.length)
}

/** Where each cell is served. */
function legend(columns: readonly Column[], { chalk }: Style): string[] {
  const addresses = addressesOf(columns)
  const width = Math.max(...addresses.map(({ titles }) => titles.length), 0)
  return addresses.map(({ url, titles }) => `  ${chalk.dim(`${titles.padEnd(width)}  ${url}`)}`)
}

/** What one finding says. */
export function paragraph(finding: Finding, { chalk, paint, mark }: Style): string[] {
  const { status, ids, columns, expected, answers, remarks } = finding
  const named = ids.length > mostIds && status === 'skip' ? `${ids.length} checks` : ids.join(', ')
  const head = `${paint[status](`${mark(status)} ${named}`)}${chalk.dim(columns.length > 0 ? `  ${columns.join(', ')}` : '')}`
  const actual = answers.map((answer, index) => {
    const place = placeOf(answer, finding)
    return `    ${index === 0 ? 'actual  ' : '        '}  ${joined('  ', answer.actual, place === '' ? '' : `(${place})`)}`
  })
  return [
    head,
    ...(answers.length > 0 ? [`    expected  ${expected}`, ...actual] : []),
    ...remarks.map((remark) => `    ${joined(': ', subjectOf(remark, finding), remark.text)}`),
    ...(status === 'skip' || ids[0] === undefined ? [] : [`    ${chalk.dim(explainCommand(ids[0]))}`]),
  ]
}

/** Checks that were skipped for one reason are counted if they are more than this. */
const mostIds = 4

function closing(report: ProbeReport, { chalk }: Style): string {
  const word = (report.ok ? chalk.green : chalk.red).bold(verdictOf(report))
  return joined('  ', word, strictCountsOf(report), chalk.dim(`(${costOf(report)})`), narrowingOf(report))
}
