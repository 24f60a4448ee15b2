import { printable } from '../../core/text.js'
import { legendFor } from './legend-layout.js'
import { orderColumns, placesOf, type Link } from './order.js'
import {
  colours,
  labelAt,
  shortened,
  widthOf,
  type Box,
  type Label,
  type Line,
  type Picture,
} from './picture.js'
import type { AgentView, MeshView, PeerView } from './view.js'
import { edgesToDraw, type DrawnEdge } from './drawn-edges.js'
import { countsOf, policyText, unreadOf } from './words.js'

const margin = 24
const padding = 12
const boxHeight = 44
/** Between two boxes of a column. */
const boxGap = 14
/** Between two lines that reach one box. */
const portGap = 9
const longestUrl = 48

interface Node {
  readonly kind: Box['kind']
  readonly name: string
  readonly small: string
  readonly about: string
  readonly isBoth: boolean
}

/** Peers on the left, agents on the right, and a line for each edge. */
export function layOutColumns(view: MeshView): Picture {
  const edges = edgesToDraw(view)
  const peers = peerNodes(view, edges)
  const agents = view.agents.map(agentNode)
  const numbers = {
    peer: new Map(peers.map(({ name }, index) => [name, index])),
    agent: new Map(agents.map(({ name }, index) => [name, index])),
  }
  const links = edges.map(({ peer, agent }): Link => ({
    from: numbers.peer.get(peer) ?? 0,
    to: numbers.agent.get(agent) ?? 0,
  }))
  const order = orderColumns(peers.length, agents.length, links)
  const sizes = {
    peer: heightsOf(order.left, links, 'from'),
    agent: heightsOf(order.right, links, 'to'),
  }
  const widths = { peer: widthOfColumn(peers), agent: widthOfColumn(agents) }
  const high = Math.max(columnHeight(sizes.peer), columnHeight(sizes.agent), boxHeight)
  // Long lines need room to part: a quarter of what they climb, at most.
  const between = Math.round(Math.min(520, Math.max(220, high / 4)))
  const unread = unreadOf(view)
  const title = shortened(printable(view.mesh), 60)
  const counts = `${countsOf(view)}${unread === '' ? '' : `; ${unread}`}`
  const top = margin + 76
  const x = { peer: margin, agent: margin + widths.peer + between }
  const tops = { peer: topsOf(sizes.peer, top, high), agent: topsOf(sizes.agent, top, high) }
  const boxes = [
    ...boxesOf(peers, order.left, x.peer, widths.peer, sizes.peer, tops.peer),
    ...boxesOf(agents, order.right, x.agent, widths.agent, sizes.agent, tops.agent),
  ]
  const places = { peer: placesOf(order.left), agent: placesOf(order.right) }
  const lines = edges.map((edge, index): Line => {
    const { from, to } = links[index] ?? { from: 0, to: 0 }
    const ends = {
      peer: portOf(
        links,
        index,
        'from',
        places.agent,
        tops.peer[places.peer[from] ?? 0] ?? 0,
        sizes.peer[places.peer[from] ?? 0] ?? 0,
      ),
      agent: portOf(
        links,
        index,
        'to',
        places.peer,
        tops.agent[places.agent[to] ?? 0] ?? 0,
        sizes.agent[places.agent[to] ?? 0] ?? 0,
      ),
    }
    return {
      ...edge,
      from: [x.peer + widths.peer, ends.peer],
      to: [x.agent, ends.agent],
      colour: (places.peer[from] ?? 0) % colours,
    }
  })
  const headings: Label[] = [
    labelAt(title, [margin, margin + 16], 'title'),
    labelAt(counts, [margin, margin + 36], 'small'),
    ...(peers.length > 0 ? [labelAt('peers', [x.peer, top - 12], 'small')] : []),
    ...(agents.length > 0 ? [labelAt('agents', [x.agent, top - 12], 'small')] : []),
  ]
  const inner = Math.max(
    widths.peer + between + widths.agent,
    ...headings.slice(0, 2).map(({ width }) => width),
  )
  const legend = legendFor(lines, margin, top + high + 28, Math.max(inner, 300))
  const width = Math.max(inner, legend.width) + 2 * margin
  return {
    width,
    height: top + high + 28 + legend.height + margin,
    title: `Mesh ${title}`,
    description: `Which peers may call which agents: ${counts}.`,
    boxes,
    lines,
    rules: [],
    legend: legend.entries,
    labels: [
      ...headings,
      ...boxes.flatMap((box, index) => labelsIn(box, smallOf(index, peers, agents, order))),
      ...legend.labels,
    ],
  }
}

function smallOf(
  index: number,
  peers: readonly Node[],
  agents: readonly Node[],
  order: { readonly left: readonly number[]; readonly right: readonly number[] },
): string {
  const node =
    index < order.left.length
      ? peers[order.left[index] ?? 0]
      : agents[order.right[index - order.left.length] ?? 0]
  return node?.small ?? ''
}

function labelsIn({ x, y, height, name }: Box, small: string): Label[] {
  const middle = y + height / 2
  return [
    labelAt(name, [x + padding, middle - 3], 'name'),
    ...(small === '' ? [] : [labelAt(small, [x + padding, middle + 14], 'small')]),
  ]
}

/** Those of the file, and those that only stores know. */
function peerNodes(view: MeshView, edges: readonly DrawnEdge[]): Node[] {
  const declared = view.peers.map(peerNode)
  const known = new Set(view.peers.map(({ name }) => name))
  const agents = new Set(view.agents.map(({ name }) => name))
  const strangers = new Set(edges.map(({ peer }) => peer).filter((peer) => !known.has(peer)))
  return [
    ...declared,
    ...[...strangers].map((name): Node => ({
      kind: 'peer',
      name,
      small: 'not in the file',
      about: `${name}: in a store, not in the file`,
      isBoth: agents.has(name),
    })),
  ]
}

function peerNode({ name, calls, isAgent }: PeerView): Node {
  const said = [`calls ${calls}`, ...(isAgent ? ['also an agent'] : [])].join(', ')
  return { kind: 'peer', name, small: said, about: `${name}: ${said}`, isBoth: isAgent }
}

function agentNode(agent: AgentView): Node {
  const said = [policyText(agent), ...(agent.isPeer ? ['also a peer'] : [])].filter((part) => part !== '')
  const url = shortened(agent.url, longestUrl)
  return {
    kind: 'agent',
    name: agent.name,
    small: [url, ...(agent.isPeer ? ['also a peer'] : [])].join(', '),
    about: `${agent.name}: ${[agent.url, ...said].join(', ')}`,
    isBoth: agent.isPeer,
  }
}

function heightsOf(column: readonly number[], links: readonly Link[], end: keyof Link): number[] {
  return column.map((node) => {
    const degree = links.filter((link) => link[end] === node).length
    return Math.max(boxHeight, portGap * (degree - 1) + 20)
  })
}

const columnHeight = (heights: readonly number[]): number =>
  heights.reduce((sum, height) => sum + height + boxGap, -boxGap)

/** Where each box of a column begins: the shorter column is spread, though not thinly, and centred. */
function topsOf(heights: readonly number[], top: number, high: number): number[] {
  const spare = high - columnHeight(heights)
  const extra = heights.length > 1 ? Math.min(60, spare / (heights.length - 1)) : 0
  let y = top + (spare - extra * (heights.length - 1)) / 2
  return heights.map((height) => {
    const here = Math.round(y)
    y += height + boxGap + extra
    return here
  })
}

function widthOfColumn(nodes: readonly Node[]): number {
  return Math.max(
    80,
    ...nodes.map(({ name, small }) => Math.max(widthOf(name, 'name'), widthOf(small, 'small')) + 2 * padding),
  )
}

function boxesOf(
  nodes: readonly Node[],
  column: readonly number[],
  x: number,
  width: number,
  heights: readonly number[],
  tops: readonly number[],
): Box[] {
  return column.flatMap((number, place) => {
    const node = nodes[number]
    if (!node) return []
    const { kind, name, about, isBoth } = node
    return [{ kind, name, about, isBoth, x, width, y: tops[place] ?? 0, height: heights[place] ?? boxHeight }]
  })
}

/** Where a line meets its box: in the order of the other ends, so that lines of one box do not cross. */
function portOf(
  links: readonly Link[],
  index: number,
  end: keyof Link,
  otherPlaces: readonly number[],
  top: number,
  height: number,
): number {
  const other = end === 'from' ? 'to' : 'from'
  const own = links[index]?.[end]
  const all = links
    .flatMap((link, number) => (link[end] === own ? [{ number, place: otherPlaces[link[other]] ?? 0 }] : []))
    .sort((one, another) => one.place - another.place || one.number - another.number)
  const rank = all.findIndex(({ number }) => number === index)
  return Math.round((top + height / 2 + (rank - (all.length - 1) / 2) * portGap) * 10) / 10
}
