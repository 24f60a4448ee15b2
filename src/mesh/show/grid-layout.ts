import { printable } from '../../core/text.js'
import { edgesToDraw } from './drawn-edges.js'
import { legendFor } from './legend-layout.js'
import { labelAt, shortened, widthOf, type Label, type Line, type Picture, type Rule } from './picture.js'
import { peersIn } from './table.js'
import type { MeshView } from './view.js'
import { countsOf, unreadOf } from './words.js'

const margin = 24
const cell = { width: 34, height: 24 }
const inset = 5

/** A row for each peer, a column for each agent, and a short line where they meet: for meshes with too many lines to follow. */
export function layOutGrid(view: MeshView): Picture {
  const edges = edgesToDraw(view)
  const peers = peersIn(view)
  const agents = view.agents.map(({ name }) => name)
  const isBoth = (name: string): boolean => peers.includes(name) && agents.includes(name)
  const heads = { peers: longest(peers), agents: longest(agents) }
  const unread = unreadOf(view)
  const title = shortened(printable(view.mesh), 60)
  const counts = `${countsOf(view)}${unread === '' ? '' : `; ${unread}`}`
  const left = margin + heads.peers + 12
  const top = margin + 52 + heads.agents + 12
  const [right, bottom] = [left + agents.length * cell.width, top + peers.length * cell.height]
  const rows = new Map(peers.map((name, index) => [name, top + index * cell.height]))
  const columns = new Map(agents.map((name, index) => [name, left + index * cell.width]))
  const lines = edges.map((edge): Line => {
    const y = (rows.get(edge.peer) ?? 0) + cell.height / 2
    const x = columns.get(edge.agent) ?? 0
    return { ...edge, from: [x + inset, y], to: [x + cell.width - inset, y], colour: 0 }
  })
  const labels: Label[] = [
    labelAt(title, [margin, margin + 16], 'title'),
    labelAt(counts, [margin, margin + 36], 'small'),
    ...[...rows].map(([name, y]) => ({
      ...labelAt(name, [left - 12, y + cell.height / 2 + 5], 'name', 'end'),
      isBoth: isBoth(name),
    })),
    ...[...columns].map(([name, x]) => ({
      ...labelAt(name, [x + cell.width / 2 + 5, top - 12], 'name'),
      turned: true as const,
      isBoth: isBoth(name),
    })),
  ]
  const inner = Math.max(right - margin, ...labels.slice(0, 2).map(({ width }) => width), 300)
  const both = peers.some(isBoth) ? ' A coloured name is both a peer and an agent.' : ''
  const legend = legendFor(lines, margin, bottom + 28, inner, `Rows are peers, columns are agents.${both}`)
  return {
    width: Math.max(inner, legend.width) + 2 * margin,
    height: bottom + 28 + legend.height + margin,
    title: `Mesh ${title}`,
    description: `Which peers, in rows, may call which agents, in columns: ${counts}.`,
    boxes: [],
    lines,
    rules: rulesOf([left, top], [right, bottom]),
    legend: legend.entries,
    labels: [...labels, ...legend.labels],
  }
}

const longest = (names: readonly string[]): number =>
  Math.max(0, ...names.map((name) => widthOf(name, 'name')))

function rulesOf([left, top]: readonly [number, number], [right, bottom]: readonly [number, number]): Rule[] {
  const rules: Rule[] = []
  for (let y = top; y <= bottom; y += cell.height) rules.push({ from: [left, y], to: [right, y] })
  for (let x = left; x <= right; x += cell.width) rules.push({ from: [x, top], to: [x, bottom] })
  return rules
}
