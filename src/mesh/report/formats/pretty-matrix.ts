import type { FormatOptions } from '../../../probe/index.js'
import type { Style } from '../../../probe/report/formats/pretty.js'
import type { EdgeResult, MeshReport } from '../../prove/mesh-report.js'
import { kindOf, kinds, kindsIn, type Kind } from '../kinds.js'
import { gridOf, type Row } from '../matrix.js'
import { shortened } from '../words.js'

/** What a terminal shows on one line without breaking it. */
const width = 80

/** A longer name of a peer loses its middle here; the findings have all of it. */
const longestName = 30

/**
 * The matrix as text: a row for each peer, a column of two cells for each agent, headed by the agent's number. What does
 * not fit beside each other follows below.
 */
export function matrixLines(report: MeshReport, style: Style, { symbols = false }: FormatOptions): string[] {
  const { agents, rows } = gridOf(report)
  const names = rows.map(({ peer }) => shortened(peer, longestName, symbols ? '…' : '~'))
  const nameWidth = Math.max(...names.map((name) => name.length), 5)
  const most = Math.max(1, Math.floor((width - 2 - nameWidth - 1) / 2))
  const blocks = Array.from({ length: Math.ceil(agents.length / most) }, (_, index) => index * most)
  const lines = blocks.flatMap((from, index) => [
    ...(index === 0 ? [] : ['']),
    ...heads(agents.length, from, most, nameWidth).map((line) => style.chalk.dim(line)),
    ...rows.map((row, at) => line(row, names[at] ?? '', { from, most, nameWidth, style, symbols })),
  ])
  return [...lines, '', ...legend(report.matrix, style, symbols)]
}

interface Block {
  readonly from: number
  readonly most: number
  readonly nameWidth: number
  readonly style: Style
  readonly symbols: boolean
}

function line({ cells }: Row, name: string, { from, most, nameWidth, style, symbols }: Block): string {
  const marks = cells.slice(from, from + most).map((edge) => ` ${edge ? markOf(edge, style, symbols) : ' '}`)
  return `  ${name.padEnd(nameWidth)} ${marks.join('')}`.trimEnd()
}

/** The numbers of the columns, tens above ones. */
function heads(count: number, from: number, most: number, nameWidth: number): string[] {
  const numbers = Array.from({ length: Math.min(most, count - from) }, (_, index) => from + index + 1)
  const lead = ' '.repeat(nameWidth + 3)
  const row = (digit: (text: string) => string): string =>
    (lead + numbers.map((number) => ` ${digit(String(number)) || ' '}`).join('')).trimEnd()
  const tens = row((text) => text.slice(0, -1).slice(-1))
  return [...(tens.trim() === '' ? [] : [tens]), row((text) => text.slice(-1))]
}

const markOf = (edge: EdgeResult, style: Style, symbols: boolean): string => {
  const kind = kindOf(edge)
  return paintOf(kind, style, edge.status)(kinds[kind][symbols ? 'symbol' : 'ascii'])
}

function paintOf(kind: Kind, { chalk, paint }: Style, status?: EdgeResult['status']): Style['chalk'] {
  if (kind === 'open') return paint.pass
  if (kind === 'refused' || kind === 'intruder' || kind === 'unsafe') return chalk.red.bold
  if (kind === 'warned') return paint.warn
  if (kind === 'unknown') return status === 'fail' ? paint.fail : paint.warn
  return paint.skip
}

function legend(matrix: readonly EdgeResult[], style: Style, symbols: boolean): string[] {
  return kindsIn(matrix).map((kind) => {
    const count = matrix.filter((edge) => kindOf(edge) === kind).length
    const { words } = kinds[kind]
    const mark = paintOf(kind, style)(kinds[kind][symbols ? 'symbol' : 'ascii'])
    return `  ${mark} ${style.chalk.dim(`${words} (${count})`)}`
  })
}
