import { html, type Markup } from '../../html/markup.js'
import { page } from '../../html/page.js'
import { printable } from '../../core/text.js'
import { cellOf, legendOf } from './cells.js'
import { dayText, spanText } from './duration-text.js'
import type { EdgeView } from './edge-view.js'
import { showCss } from './html-style.js'
import { drawSvg } from './svg.js'
import { peersIn } from './table.js'
import type { AgentView, MeshView } from './view.js'
import { codesText, countsOf, policyText, remarkOn, storeWords, unreadOf } from './words.js'

/** Headings of the matrix are turned when there are more agents. */
const mostLevel = 6

/** The mesh as one page: the picture, the matrix, and everything that is known of agents and edges. */
export function renderHtml(view: MeshView, at: Date): string {
  const { agents, edges, undeclared } = view
  const unread = unreadOf(view)
  return page({
    title: `Mesh ${printable(view.mesh)}`,
    css: showCss,
    body: html`<h1>Mesh ${printable(view.mesh)}</h1>
      <p class="dim">${countsOf(view)}${unread === '' ? '' : `; ${unread}`}</p>
      ${
        undeclared.length === 0
          ? ''
          : html`<p class="strangers">
              Not in the file, and let in by a store:
              ${undeclared.map(({ peer, agent }) => `${peer} → ${agent}`).join(', ')}
            </p>`
      }
      <div class="scroll picture">${drawSvg(view)}</div>
      <h2>Who may call whom</h2>
      ${matrix(view)}
      <h2>Agents</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              ${headings('agent', 'URL', 'policies', 'codes', 'canaries', 'store')}
            </tr>
          </thead>
          <tbody>
            ${agents.map(agentRow)}
          </tbody>
        </table>
      </div>
      <h2>Edges</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              ${headings('peer', 'agent', 'policies', 'codes', 'age', 'rotated after', 'state', 'note')}
            </tr>
          </thead>
          <tbody>
            ${edges.map((edge) => edgeRow(edge, at))}
          </tbody>
        </table>
      </div>
      <footer class="dim"><p>a2a-totp mesh show</p></footer>`,
  })
}

const headings = (...words: readonly string[]): Markup[] =>
  words.map((word) => html`<th scope="col">${word}</th>`)

function matrix(view: MeshView): Markup {
  const { agents, edges, undeclared } = view
  const cells = new Map<string, { readonly mark: string; readonly about: string; readonly state: string }>()
  const key = (peer: string, agent: string): string => `${peer}\n${agent}`
  for (const edge of edges) {
    const about = [policyText(edge), remarkOn(edge)].filter((part) => part !== '').join(', ')
    cells.set(key(edge.peer, edge.agent), { mark: cellOf(edge), about, state: edge.state })
  }
  for (const { peer, agent } of undeclared)
    cells.set(key(peer, agent), { mark: '?', about: 'not in the file', state: 'undeclared' })
  return html`<div class="scroll">
      <table class="${agents.length > mostLevel ? 'cells many' : 'cells'}">
        <thead>
          <tr>
            <th scope="col"><span class="hidden">peer</span></th>
            ${agents.map(({ name }) => html`<th scope="col"><span>${name}</span></th>`)}
          </tr>
        </thead>
        <tbody>
          ${peersIn(view).map(
            (peer) =>
              html`<tr>
                <th scope="row">${peer}</th>
                ${agents.map(({ name }) => {
                  const cell = cells.get(key(peer, name))
                  return cell
                    ? html`<td class="${cell.state}" title="${`${peer} → ${name}: ${cell.about}`}">
                        ${cell.mark}
                      </td>`
                    : html`<td></td>`
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <ul class="legend">
      ${legendOf(view)
        .filter(({ mark }) => mark !== '-')
        .map(({ mark, words }) => html`<li><code>${mark}</code> ${words}</li>`)}
    </ul>`
}

function agentRow(agent: AgentView): Markup {
  return html`<tr>
    <th scope="row">${agent.name}</th>
    <td>${agent.url}</td>
    <td>${policyText(agent)}</td>
    <td>${codesText(agent)}</td>
    <td>${agent.canaries?.join(', ') ?? ''}</td>
    <td>${storeWords[agent.store]}${agent.problem === null ? '' : `: ${printable(agent.problem)}`}</td>
  </tr>`
}

function edgeRow(edge: EdgeView, at: Date): Markup {
  const { peer, agent, renewedAt, rotateAfter, note } = edge
  const age = renewedAt === null ? '' : spanText(at.getTime() - Date.parse(renewedAt))
  return html`<tr class="${edge.state}">
    <th scope="row">${peer}</th>
    <td>${agent}</td>
    <td>${policyText(edge)}</td>
    <td>${codesText(edge)}</td>
    <td title="${renewedAt === null ? '' : dayText(renewedAt)}">${age}</td>
    <td>${rotateAfter ?? ''}</td>
    <td class="state">${remarkOn(edge)}</td>
    <td>${note === null ? '' : printable(note)}</td>
  </tr>`
}
