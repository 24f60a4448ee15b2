import { html, type Markup } from '../../../html/markup.js'
import { page } from '../../../html/page.js'
import { inCode, mark, remedyIn, section, statusTable } from '../../../probe/report/formats/html.js'
import { reportCss } from '../../../probe/report/formats/html-style.js'
import { costOf, countsOf, narrowingOf, strictCountsOf, verdictOf } from '../../../probe/report/words.js'
import type { AgentResult, MeshCheck, MeshReport } from '../../prove/mesh-report.js'
import { edgesOf, type EdgeFinding } from '../edge-findings.js'
import { meshFindings, type AgentFindings } from '../findings.js'
import { iconOf, iconCss } from './html-icons.js'
import { legend, matrixCss, matrixPicture } from './html-matrix.js'
import { textsOf } from '../rules.js'
import { someOf, untestedIn } from '../untested.js'
import { agentNumbers, agentVerdict, proveTitle, sizeOf } from '../words.js'

/** The report as one page: the verdict, the diagnosis, the matrix as a picture, and what is wrong with how to fix it. */
export function renderHtml(report: MeshReport): string {
  return page({
    title: `${verdictOf(report)}: ${report.mesh}`,
    css: pageCss,
    body: html`${banner(report)} ${matrixOf(report)} ${agentsTable(report.agents)} ${meshTable(report.checks)}
    ${findingsOf(report)} ${untested(report)} ${footer(report)}`,
  })
}

/** The rules of every page with a matrix. */
export const pageCss = `${reportCss}${iconCss}${matrixCss}
table.agents td:nth-child(3) { white-space: nowrap; }
section section { background: var(--page); }
`

/** The verdict and what explains it. */
export function banner(report: MeshReport): Markup {
  const { ok, diagnosis, mesh } = report
  return html`<header class="${ok ? 'pass' : 'fail'}">
    ${narrowing(report)} ${diagnosis === undefined ? '' : html`<p class="diagnosis">${diagnosis}</p>`}
    <h1><span class="verdict">${verdictOf(report)}</span> ${mesh}</h1>
    <p>${sizeOf(report)}. ${strictCountsOf(report)}.</p>
  </header>`
}

function narrowing(report: MeshReport): Markup | '' {
  const narrowed = narrowingOf(report)
  return narrowed === '' ? '' : html`<p class="narrowed">${narrowed}</p>`
}

/** The picture with its legend. */
export function matrixOf(report: MeshReport): Markup {
  return report.matrix.length === 0
    ? html``
    : html`<h2>Who gets in</h2>
        ${legend(report)} ${matrixPicture(report)}`
}

function agentsTable(agents: readonly AgentResult[]): Markup {
  return agents.length === 0
    ? html``
    : html`<h2>Agents</h2>
        <table class="agents">
          <thead>
            <tr>
              <th scope="col">agent</th>
              <th scope="col"><span class="hidden">status</span></th>
              <th scope="col">verdict</th>
              <th scope="col">found</th>
            </tr>
          </thead>
          <tbody>
            ${agents.map(agentRow)}
          </tbody>
        </table>`
}

function agentRow(agent: AgentResult): Markup {
  const verdict = agentVerdict(agent)
  const status = verdict === 'not probed' ? 'skip' : agent.ok ? 'pass' : 'fail'
  return html`<tr>
    <th scope="row">${agent.agent}</th>
    <td>${mark(status)}</td>
    <td class="${status}">${verdict}</td>
    <td>${agentNumbers(agent)}<br /><span class="dim">${agent.url}</span></td>
  </tr>`
}

function meshTable(checks: readonly MeshCheck[]): Markup {
  return checks.length === 0
    ? html``
    : html`<h2>The mesh as a whole</h2>
        ${statusTable(['check', 'seen'], checks)}`
}

/** Every paragraph about what failed or is warned about. */
export function findingsOf(report: MeshReport): Markup {
  const { mesh, agents } = meshFindings(report)
  if (mesh.length + agents.length === 0) return html``
  return html`<h2>Findings</h2>
    ${mesh.map(checkSection)} ${agents.map(agentSection)}`
}

function checkSection({ id, status, expected, actual, detail }: MeshCheck): Markup {
  return html`<section class="${status}">
    <h3>${mark(status)} ${id}</h3>
    ${seen(expected, actual)} ${detail === '' ? '' : html`<p>${detail}</p>`} ${remedyIn(textsOf(id))}
  </section>`
}

const seen = (expected: string, actual: string): Markup =>
  html`<dl class="facts">
    <div>
      <dt>expected</dt>
      <dd>${expected}</dd>
    </div>
    <div>
      <dt>actual</dt>
      <dd>${actual}</dd>
    </div>
  </dl>`

function agentSection({ agent, result, findings, edges }: AgentFindings): Markup {
  const peer = result?.peer ?? null
  const diagnosis = result?.report?.diagnosis
  const silent = result?.report === null && !result.ok
  return html`<h3 class="agent">${agent}</h3>
    ${result === undefined ? '' : html`<p class="dim">${result.url}${peer === null ? '' : `, as ${peer}`}</p>`}
    ${diagnosis === undefined ? '' : html`<p><b>${diagnosis}</b></p>`}
    ${
      silent
        ? html`<section class="fail">
            <h3>${mark('fail')} not probed</h3>
            <p>${result.detail}</p>
            ${remedyIn(textsOf('mesh.agent'))}
          </section>`
        : ''
    }
    ${edges.map(edgeSection)} ${findings.map((finding) => section(finding, textsOf))}`
}

function edgeSection(finding: EdgeFinding): Markup {
  const { status, kind, peers, agent, line, expected, actual, detail, findings, fix } = finding
  return html`<section class="${status}">
    <h3>${iconOf(kind)} ${edgesOf(finding)}</h3>
    ${line === undefined ? '' : html`<p class="dim">line ${line} of the mesh file</p>`}
    ${expected === '' ? '' : seen(expected, actual)}
    ${detail === '' ? '' : html`<p>${peers.length > 1 ? html`<b>${peers[0] ?? ''}:</b> ` : ''}${detail}</p>`}
    ${peers.length > 6 ? html`<p class="dim">All of them at ${agent}: ${peers.join(', ')}</p>` : ''}
    ${findings.map((one) => section(one, textsOf))}
    <h4>How to fix it</h4>
    <p>${inCode(fix)}</p>
  </section>`
}

function untested(report: MeshReport): Markup {
  const reasons = untestedIn(report)
  if (reasons.length === 0) return html``
  return html`<h2>Not tested</h2>
    <table class="run">
      <thead>
        <tr>
          <th scope="col">checks</th>
          <th scope="col"><span class="hidden">status</span></th>
          <th scope="col">where, and why</th>
        </tr>
      </thead>
      <tbody>
        ${reasons.map(
          ({ reason, ids, subjects, ignored }) =>
            html`<tr>
              <th scope="row">${someOf(ids, 'check', 1)}</th>
              <td>${mark('skip')}</td>
              <td>
                <span class="dim">${someOf(subjects, 'place')}:</span> ${ignored ? 'ignored: ' : ''}${reason}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>`
}

function footer(report: MeshReport): Markup {
  return html`<footer class="dim">
    <p>${proveTitle}, ${report.startedAt}: ${countsOf(report)} (${costOf(report)}).</p>
    ${narrowing(report)}
  </footer>`
}
