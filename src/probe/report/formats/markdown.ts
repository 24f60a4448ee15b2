import { columnOf, linesOf, worstIn } from '../lines.js'
import { cellCheckIds, runCheckIds } from '../../check-ids.js'
import type { CheckStatus, ProbeReport } from '../report.js'
import { costOf, countsOf } from './pretty.js'

const marks: Readonly<Record<CheckStatus, string>> = { pass: '✅', fail: '❌', warn: '⚠️', skip: '➖' }

/** The report for a job summary: the verdict, what is wrong, and the table of checks by cells. */
export function renderMarkdown(report: ProbeReport): string {
  const { checks, agent, target, ok } = report
  const lines = [
    `## ${ok ? '✅' : '❌'} a2a-totp probe`,
    '',
    `${agent === null ? '' : `${verbatim(agent)} at `}${verbatim(target)}: **${countsOf(report)}** (${costOf(report)})`,
    '',
  ]
  for (const { check, columns } of linesOf(checks)) {
    const { id, status, expected, actual, detail } = check
    const where = columns.length > 0 ? ` (${columns.join(', ')})` : ''
    const what = status === 'skip' ? '' : ` expected ${verbatim(expected)}, actual ${verbatim(actual)}.`
    lines.push(`- ${marks[status]} **${id}**${where}:${what}${detail === '' ? '' : ` ${verbatim(detail)}`}`)
  }
  const columns = [...new Set(checks.map(columnOf))].filter((column) => column !== '')
  const rows = [
    ...runCheckIds.map((id) => [id, ...columns.map(() => ''), worstIn(checks, id, '')?.status]),
    ...cellCheckIds.map((id) => [
      id,
      ...columns.map((column) => worstIn(checks, id, column)?.status ?? ''),
      '',
    ]),
  ].filter((row) => row.slice(1).some((status) => status !== undefined && status !== ''))
  lines.push('', row(['check', ...columns, 'agent']), row(['---', ...columns.map(() => ':-:'), ':-:']))
  for (const [id = '', ...statuses] of rows) {
    lines.push(
      row([id, ...statuses.map((status = '') => (status in marks ? marks[status as CheckStatus] : ''))]),
    )
  }
  return `${lines.join('\n')}\n`
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** As code, so that nothing in a text of the agent is markup, a mention or a link. */
function verbatim(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\``
}
