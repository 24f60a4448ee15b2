import { printable } from '../../core/text.js'
import type { EdgeState } from './edge-view.js'
import { peersIn } from './table.js'
import type { MeshView } from './view.js'
import { countsOf, lineKindOf, policyText, remarkOn, unreadOf, type LineKind } from './words.js'

/** Thick, plain and dotted: https://mermaid.js.org/syntax/flowchart.html */
const arrows: Readonly<Record<LineKind, string>> = {
  signed: '==>',
  once: '-->',
  reuse: '-.->',
  unsaid: '---',
}

/** Colours that can be read on the light and the dark theme. */
const stateColours: Partial<Readonly<Record<EdgeState, string>>> = {
  missing: '#8c959f',
  pending: '#9a6700',
  due: '#9a6700',
  expired: '#cf222e',
}

/**
 * The mesh as a flowchart of Mermaid. Each name is one node, also where it is both a peer and an agent; ids are numbers,
 * since a name may be a word of the language.
 */
export function renderMermaid(view: MeshView): string {
  const agents = new Map(view.agents.map((agent) => [agent.name, agent]))
  const names = [...new Set([...peersIn(view), ...agents.keys()])]
  const ids = new Map(names.map((name, index) => [name, `n${index + 1}`]))
  const id = (name: string): string => ids.get(name) ?? 'n0'
  const peers = new Set(peersIn(view))
  const nodes = names.map((name) => {
    const agent = agents.get(name)
    if (!agent) return `${id(name)}(["${text(name)}"])`
    const lines = [text(name), text(agent.url), text(policyText(agent))].filter((line) => line !== '')
    const label = lines.join('<br/>')
    return peers.has(name) ? `${id(name)}[["${label}"]]` : `${id(name)}["${label}"]`
  })
  const links = [
    ...view.edges.map((edge) => {
      const remark = remarkOn(edge)
      const label = remark === '' ? '' : `|"${text(remark)}"|`
      return {
        line: `${id(edge.peer)} ${arrows[lineKindOf(edge)]}${label} ${id(edge.agent)}`,
        colour: stateColours[edge.state],
      }
    }),
    ...view.undeclared.map(({ peer, agent }) => ({
      line: `${id(peer)} --x|"${text('not in the file')}"| ${id(agent)}`,
      colour: stateColours.expired,
    })),
  ]
  const styles = links.flatMap(({ colour }, index) =>
    colour === undefined ? [] : [`linkStyle ${index} stroke:${colour}`],
  )
  const unread = unreadOf(view)
  return [
    'flowchart LR',
    ...[
      `%% ${comment(view.mesh)}: ${countsOf(view)}${unread === '' ? '' : `, ${unread}`}`,
      '%% thick: every request signed; plain: each code once; dotted: codes reusable; no arrow: left to the store',
      ...nodes,
      ...links.map(({ line }) => line),
      ...styles,
    ].map((line) => `  ${line}`),
  ].join('\n')
}

/**
 * A text between double quotes. What is no plain letter is written by its number, as the language allows, so that no
 * part of it is a quote, a tag or Markdown.
 */
function text(given: string): string {
  // A number and a dot alone would be a list of Markdown.
  const plain = /^[0-9]+[.)]/.test(given) ? /[A-Za-z0-9 ]/ : /[A-Za-z0-9 .,:/_-]/
  const written = Array.from(printable(given), (character) =>
    plain.test(character) ? character : `#${character.codePointAt(0) ?? 63};`,
  )
  // Two colons begin a command to a CI runner.
  return written.join('').replace(/:(?=:)/g, '#58;')
}

/** Braces in a comment would be a directive. */
const comment = (given: string): string => printable(given).replace(/[{}]/g, ' ')
