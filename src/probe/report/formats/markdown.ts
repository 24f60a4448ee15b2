import { cellCheckIds, runCheckIds } from '../../check-ids.js'
import { addressesOf, columnsOf, worstIn } from '../columns.js'
import { findingsOf, placeOf, subjectOf, type Finding } from '../findings.js'
import type { CheckStatus, ProbeReport } from '../report.js'
import { costOf, countsOf, explainCommand, narrowingOf } from '../words.js'

export const marks: Readonly<Record<CheckStatus, string>> = { pass: '✅', fail: '❌', warn: '⚠️', skip: '➖' }

/** The report for a job summary: the verdict, the diagnosis, what is wrong, and the table of checks by cells. */
export function renderMarkdown(report: ProbeReport): string {
  const { checks, agent, target, ok, diagnosis, explain } = report
  const narrowing = narrowingOf(report)
  const narrowed = narrowing === '' ? '' : verbatim(narrowing)
  const columns = columnsOf(checks)
  return [
    `## ${ok ? '✅' : '❌'} a2a-totp probe${narrowed === '' ? '' : ` ${narrowed}`}`,
    '',
    ...(diagnosis === undefined ? [] : [`**${verbatim(diagnosis)}**${pointer(explain)}`, '']),
    `${agent === null ? '' : `${verbatim(agent)} at `}${verbatim(target)}: **${countsOf(report)}** (${costOf(report)})`,
    '',
    ...findingsOf(checks).map(item),
    '',
    ...table(checks),
    '',
    ...addressesOf(columns).map(({ titles, url }) => `- ${titles}: ${verbatim(url)}`),
    ...(narrowed === '' ? [] : ['', narrowed]),
    '',
  ].join('\n')
}

const pointer = (id: ProbeReport['explain']): string =>
  id === undefined ? '' : ` (\`${explainCommand(id)}\`)`

/** One finding as an item of a list. */
export function item(finding: Finding): string {
  const { status, ids, columns, expected, answers, remarks } = finding
  const where = columns.length > 0 ? ` (${columns.join(', ')})` : ''
  const actual = answers.map((answer) => {
    const place = placeOf(answer, finding)
    return `${verbatim(answer.actual)}${place === '' ? '' : ` (${place})`}`
  })
  const what = answers.length === 0 ? '' : ` expected ${verbatim(expected)}, actual ${actual.join(', ')}.`
  const why = remarks.map((remark) => {
    const subject = subjectOf(remark, finding)
    return ` ${subject === '' ? '' : `${subject}: `}${verbatim(remark.text)}`
  })
  const names = ids.map((id) => `**${id}**`).join(', ')
  return `- ${marks[status]} ${names}${where}:${what}${why.join('')}${status === 'skip' ? '' : pointer(ids[0])}`
}

function table(checks: ProbeReport['checks']): string[] {
  const columns = columnsOf(checks)
  const mark = (status: CheckStatus | undefined): string => (status === undefined ? '' : marks[status])
  const agent = { holds: ({ binding }: ProbeReport['checks'][number]) => binding === null }
  const rows = [...runCheckIds, ...cellCheckIds].map((id) => [
    id,
    ...[...columns, agent].map((column) => mark(worstIn(checks, id, column)?.status)),
  ])
  return [
    row(['check', ...columns.map(({ title }) => title), 'agent']),
    row(['---', ...columns.map(() => ':-:'), ':-:']),
    ...rows.filter(([, ...cells]) => cells.some((cell) => cell !== '')).map(row),
  ]
}

/** A row of a table. */
export const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** As code, so that nothing in a text of the agent is markup, a mention or a link. */
export function verbatim(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\``
}
