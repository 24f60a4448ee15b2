import { html, type Markup } from '../../html/markup.js'
import { page } from '../../html/page.js'
import { mark } from '../../probe/report/formats/html.js'
import { banner, findingsOf, matrixOf, pageCss } from '../report/formats/html.js'
import { harmlessMesh } from '../report/harmless-mesh.js'
import { historyCss, historyPicture } from './history.js'
import type { Turn } from './runs.js'
import type { MeshStatus } from './status.js'
import {
  distance,
  dueCommand,
  dueWords,
  earlierWords,
  runVerdict,
  runWords,
  timeOf,
  turnWords,
} from './words.js'
import { printable } from '../../core/text.js'

/** More runs than this are in the picture alone. */
const mostRuns = 15

/** The status as one page: what was seen last of each agent and edge, what changed, what is due, and the runs before. */
export function statusPage(status: MeshStatus): string {
  const { mesh, at } = status
  const known = status.current ?? status.latest
  const shown = known === null ? null : harmlessMesh(known)
  return page({
    title: `${shown === null ? '' : `${shown.ok ? 'PASS' : 'FAIL'}: `}${mesh}, status`,
    css: `${pageCss}${historyCss}`,
    body: html`${shown === null ? noRun(mesh) : banner(shown)}
      ${shown === null ? '' : html`<p class="dim">${lastRun(shown.startedAt, at)}</p>`} ${earlier(status)}
      ${turned(status)} ${due(status)} ${shown === null ? '' : matrixOf(shown)} ${history(status)}
      ${removed(status)} ${deliveries(status)} ${shown === null ? '' : findingsOf(shown)}
      ${passedOver(status)}
      <footer class="dim"><p>a2a-totp mesh status, ${at.toISOString()}</p></footer>`,
  })
}

/** How old what the page shows is. */
export const lastRun = (startedAt: string, now: Date): string =>
  `Proved ${timeOf(startedAt)}, ${distance(new Date(startedAt), now)}.`

const noRun = (mesh: string): Markup =>
  html`<header class="fail">
    <h1>${mesh}</h1>
    <p>There is no report yet. Run <code>a2a-totp mesh prove</code>.</p>
  </header>`

const list = (title: string, items: readonly Markup[], nothing?: string): Markup =>
  items.length === 0 && nothing === undefined
    ? html``
    : html`<h2>${title}</h2>
        ${
          items.length === 0
            ? html`<p class="dim">${nothing ?? ''}</p>`
            : html`<ul>
                ${items.map((item) => html`<li>${item}</li>`)}
              </ul>`
        }`

const earlier = ({ earlier: rows, at }: MeshStatus): Markup =>
  list(
    'What the latest run left out',
    rows.map((row) => html`${earlierWords(row, at)}`),
  )

/** An agent that is down turns all of its edges; the picture has the rest. */
const mostTurns = 30

const turnMarks = { worse: 'fail', better: 'pass', otherwise: 'skip' } as const

function turned({ turns, runs }: MeshStatus): Markup {
  const row = (turn: Turn): Markup => html`${mark(turnMarks[turn.turned])} ${turnWords(turn)}`
  const nothing = runs.length > 1 ? 'Nothing has changed since the run before.' : undefined
  const more = turns.length - mostTurns
  const rows = turns.slice(0, mostTurns).map(row)
  return list(
    'What changed since the run before',
    more > 0 ? [...rows, html`and ${more} more`] : rows,
    nothing,
  )
}

function due({ due: rows, unread, at }: MeshStatus): Markup {
  return html`${list(
    'What is due',
    rows.map(
      (row) =>
        html`${dueWords(row, at)}
          <span class="dim">(${timeOf(row.at)}; <code>${dueCommand(row)}</code>)</span>`,
    ),
    unread.length === 0
      ? 'Nothing expires soon, and nothing is due for rotation.'
      : 'Nothing that is known of.',
  )}
  ${
    unread.length === 0
      ? ''
      : html`<p>Not known, since their stores could not be read:</p>
          <ul>
            ${unread.map(({ agent, reason }) => html`<li>${printable(agent)}: ${printable(reason)}</li>`)}
          </ul>`
  }`
}

function history({ runs }: MeshStatus): Markup {
  if (runs.length === 0) return html``
  const shown = runs.slice(-mostRuns).reverse()
  return html`<h2>Runs</h2>
    ${historyPicture(runs)}
    <table class="run">
      <thead>
        <tr>
          <th scope="col">begun</th>
          <th scope="col">verdict</th>
          <th scope="col">found</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map((run) => {
          const verdict = runVerdict(run)
          return html`<tr>
            <th scope="row">${timeOf(run.startedAt)}</th>
            <td class="${verdict === 'PASS' ? 'pass' : 'fail'}">${verdict}</td>
            <td>${runWords(run)}</td>
          </tr>`
        })}
      </tbody>
    </table>
    ${runs.length > shown.length ? html`<p class="dim">And ${runs.length - shown.length} before them.</p>` : ''}`
}

function removed({ removed: rows, at }: MeshStatus): Markup {
  return list(
    'Removed, and still to be seen refused',
    rows.map(({ peer, agent, removedAt }) => html`${peer} -> ${agent}, removed ${distance(removedAt, at)}`),
  )
}

function deliveries({ deliveries: rows, at }: MeshStatus): Markup {
  return list(
    'Delivered last',
    rows.map(({ to, name, at: when }) => {
      const what = to === 'agent' ? 'the server file of' : 'the client file of'
      return html`${what} ${printable(name)}: ${timeOf(when)}, ${distance(when, at)}`
    }),
  )
}

function passedOver({ passedOver: rows }: MeshStatus): Markup {
  const shown = rows.slice(0, 10)
  const items = shown.map(({ file, reason }) => html`${printable(file)}: ${printable(reason)}`)
  const more = rows.length - shown.length
  return list('Files that were passed over', more > 0 ? [...items, html`and ${more} more`] : items)
}
