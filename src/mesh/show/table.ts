import { listSome, printable } from '../../core/text.js'
import type { EdgeView } from './edge-view.js'
import { spanText } from './duration-text.js'
import { cellOf, legendOf } from './cells.js'
import type { AgentView, MeshView } from './view.js'
import { codesText, countsOf, policyText, remarkOn, storeWords, unreadOf } from './words.js'

const gap = '  '

/** Names of peers that are longer are numbered, and listed. */
const longestName = 32

/**
 * The mesh for a terminal: the agents, a matrix of peers and agents, a legend, and what deserves attention.
 *
 * @param width in cells
 * @param at ages are counted until then
 */
export function renderTable(view: MeshView, width: number, at: Date): string {
  const unread = unreadOf(view)
  const blocks = [
    wrapped(
      `${printable(view.mesh)}: ${countsOf(view)}${unread === '' ? '' : ` (${unread})`}`.split(' '),
      width,
    ),
    agentLines(view, width),
    ...matrixBlocks(view, width),
    view.edges.length + view.undeclared.length === 0 ? [] : legendLines(view, width),
    attentionLines(view, width, at),
  ]
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function legendLines(view: MeshView, width: number): string[] {
  const entries = legendOf(view).map(({ mark, words }) => `${mark} ${words}`)
  return wrapped(
    entries.map((entry, index) => (index < entries.length - 1 ? `${entry};` : entry)),
    width,
  )
}

function agentLines({ agents }: MeshView, width: number): string[] {
  const digits = String(agents.length).length
  const longest = Math.max(0, ...agents.map(({ name }) => name.length))
  return agents.flatMap((agent, index) => {
    const number = String(index + 1).padStart(digits)
    const start = `${number}${gap}${agent.name.padEnd(longest)}`
    const about = aboutAgent(agent)
    const line = `${start}${gap}${about.join(gap)}`
    if (line.length <= width) return [line]
    const indent = ' '.repeat(digits) + gap
    return [start.trimEnd(), ...wrapped(about, width - indent.length, gap).map((part) => indent + part)]
  })
}

function aboutAgent(agent: AgentView): string[] {
  const canaries = agent.canaries ?? []
  return [
    agent.url,
    policyText(agent),
    codesText(agent),
    agent.isPeer ? 'also a peer' : '',
    canaries.length === 0 ? '' : `canaries ${listSome(canaries)}`,
    agent.store === 'read' || agent.store === 'unopened' ? '' : `store ${storeWords[agent.store]}`,
  ].filter((part) => part !== '')
}

/** The matrix: in several blocks, one under the other, where the terminal is too narrow for all agents. */
function matrixBlocks(view: MeshView, width: number): string[][] {
  const { agents } = view
  const peers = peersIn(view)
  if (peers.length === 0 || agents.length === 0) return []
  const isLong = peers.some((name) => name.length > longestName)
  const heads = isLong ? peers.map((_, index) => `p${index + 1}`) : peers
  const first = Math.max(...heads.map((head) => head.length))
  const cells = new Map<string, string>()
  for (const edge of view.edges) cells.set(keyOf(edge), cellOf(edge))
  for (const edge of view.undeclared) cells.set(keyOf(edge), '?')
  const named = agents.map(({ name }) => Math.max(name.length, 3))
  const fits = first + named.reduce((sum, each) => sum + gap.length + each, 0) <= width
  const columns = agents.map(({ name }, index) => {
    const head = fits ? name : String(index + 1)
    return { name, head, width: fits ? (named[index] ?? 3) : 3 }
  })
  const each = Math.max(1, fits ? columns.length : Math.floor((width - first - 1) / (3 + 1)))
  const between = fits ? gap : ' '
  const blocks: string[][] = []
  for (let start = 0; start < columns.length; start += each) {
    const some = columns.slice(start, start + each)
    const line = (head: string, texts: readonly string[]): string =>
      [head.padEnd(first), ...texts.map((text, index) => text.padEnd(some[index]?.width ?? 0))]
        .join(between)
        .trimEnd()
    blocks.push([
      line(
        '',
        some.map(({ head }) => head),
      ),
      ...peers.map((peer, row) =>
        line(
          heads[row] ?? peer,
          some.map(({ name }) => cells.get(keyOf({ peer, agent: name })) ?? '-'),
        ),
      ),
    ])
  }
  return isLong
    ? [peers.map((name, index) => `${(heads[index] ?? '').padEnd(first)}${gap}${name}`), ...blocks]
    : blocks
}

/** Those of the file, then those that only stores know. */
export function peersIn({ peers, undeclared }: MeshView): string[] {
  return [...new Set([...peers.map(({ name }) => name), ...undeclared.map(({ peer }) => peer)])]
}

function attentionLines(view: MeshView, width: number, at: Date): string[] {
  const edges = view.edges.flatMap((edge) => {
    const text = attentionTo(edge, at)
    return text === '' ? [] : [`${edge.peer} -> ${edge.agent}: ${text}`]
  })
  const strangers = view.undeclared.map(
    ({ peer, agent }) => `${peer} -> ${agent}: not in the file; mesh apply --prune removes it`,
  )
  const stores = view.agents.flatMap(({ name, problem }) =>
    problem === null ? [] : [`${name}: ${printable(problem)}`],
  )
  return [...stores, ...strangers, ...edges].flatMap((line) => wrapped(line.split(' '), width))
}

/** What is to be said of an edge besides its policies; of one that is not created yet the cell says enough. */
function attentionTo(edge: EdgeView, at: Date): string {
  if (edge.state === 'missing' && edge.expiresAt === null) return ''
  const age = edge.renewedAt === null ? '' : spanText(at.getTime() - Date.parse(edge.renewedAt))
  const due = edge.state === 'due' ? `${age} old, at most ${edge.rotateAfter ?? ''}` : ''
  const pending = edge.pending
    ? `${edge.pending.step} for ${spanText(at.getTime() - Date.parse(edge.pending.since))}`
    : ''
  return [remarkOn(edge), due, pending].filter((part) => part !== '').join(', ')
}

const keyOf = ({ peer, agent }: { readonly peer: string; readonly agent: string }): string =>
  `${peer}\n${agent}`

/** Lines of at most a width, broken between words where that is possible. */
function wrapped(words: readonly string[], width: number, between = ' '): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    if (line !== '' && line.length + between.length + word.length > width) {
      lines.push(line)
      line = between === ' ' ? `  ${word}` : word
    } else line = line === '' ? word : `${line}${between}${word}`
  }
  return [...lines, line].filter((one) => one.trim() !== '')
}
