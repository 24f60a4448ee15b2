import { item, marks, row, verbatim } from '../../../probe/report/formats/markdown.js'
import { costOf, countsOf, narrowingOf } from '../../../probe/report/words.js'
import type { AgentResult, MeshCheck, MeshReport } from '../../prove/mesh-report.js'
import { edgesOf, type EdgeFinding } from '../edge-findings.js'
import { meshFindings, type AgentFindings } from '../findings.js'
import { kindOf, kinds, kindsIn } from '../kinds.js'
import { gridOf } from '../matrix.js'
import { textsOf } from '../rules.js'
import { someOf, untestedIn } from '../untested.js'
import { agentNumbers, agentVerdict, proveTitle, sizeOf } from '../words.js'

/** The report for a job summary: the verdict, the diagnosis, what is wrong, the agents and the matrix. */
export function renderMarkdown(report: MeshReport): string {
  const { mesh, ok, diagnosis, checks, agents } = report
  const narrowing = narrowingOf(report)
  const narrowed = narrowing === '' ? '' : verbatim(narrowing)
  const findings = meshFindings(report)
  return [
    `## ${ok ? '✅' : '❌'} ${proveTitle}${narrowed === '' ? '' : ` ${narrowed}`}`,
    '',
    ...(diagnosis === undefined ? [] : [`**${verbatim(diagnosis)}**`, '']),
    `${verbatim(mesh)}: ${sizeOf(report)}: **${countsOf(report)}** (${costOf(report)})`,
    '',
    ...findings.mesh.map(checkItem),
    ...findings.agents.flatMap(ofAgent),
    '',
    ...table(['mesh', '', 'seen'], checks.map(checkRow)),
    '',
    ...table(['', 'agent', 'verdict', 'found', 'URL'], agents.map(agentRow)),
    '',
    ...matrix(report),
    ...untested(report),
    ...(narrowed === '' ? [] : ['', narrowed]),
    '',
  ].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [row(head), row(head.map(() => '---')), ...rows.map(row)]
}

const checkRow = ({ id, status, actual }: MeshCheck): string[] => [id, marks[status], verbatim(actual)]

const agentRow = (agent: AgentResult, index: number): string[] => {
  const { ok, url } = agent
  const verdict = agentVerdict(agent)
  const mark = verdict === 'not probed' ? marks.skip : ok ? marks.pass : marks.fail
  return [
    String(index + 1),
    verbatim(agent.agent),
    `${mark} ${verdict}`,
    verbatim(agentNumbers(agent)),
    verbatim(url),
  ]
}

function checkItem({ id, status, expected, actual, detail }: MeshCheck): string {
  const seen = ` expected ${verbatim(expected)}, actual ${verbatim(actual)}.`
  const why = detail === '' ? '' : ` ${verbatim(detail)}`
  return `- ${marks[status]} **${id}**:${seen}${why} ${textsOf(id).mend.join(' ')}`
}

function ofAgent({ agent, result, findings, edges }: AgentFindings): string[] {
  const url = result === undefined ? '' : ` at ${verbatim(result.url)}`
  const diagnosis = result?.report?.diagnosis ?? (result?.report === null ? result.detail : '')
  return [
    `- **${verbatim(agent)}**${url}${diagnosis === '' ? '' : `: ${verbatim(diagnosis)}`}`,
    ...findings.map((finding) => `  ${item(finding)}`),
    ...edges.map((finding) => `  ${edgeItem(finding)}`),
  ]
}

function edgeItem(finding: EdgeFinding): string {
  const { status, expected, actual, detail, findings, fix, line } = finding
  const seen = expected === '' ? '' : ` expected ${expected}, actual ${verbatim(actual)}.`
  const why = detail === '' ? '' : ` ${verbatim(detail)}`
  const place = line === undefined ? '' : ` (line ${line})`
  return [
    `- ${marks[status]} ${verbatim(edgesOf(finding))}${place}:${seen}${why} ${verbatim(fix)}`,
    ...findings.map((one) => `    ${item(one)}`),
  ].join('\n')
}

/** A row for each peer, a column for each agent, headed by the agent's number. */
function matrix(report: MeshReport): string[] {
  const { agents, rows } = gridOf(report)
  if (rows.length === 0) return []
  const there = kindsIn(report.matrix)
  return [
    row(['peer', ...agents.map((_, index) => String(index + 1))]),
    row(['---', ...agents.map(() => ':-:')]),
    ...rows.map(({ peer, cells }) =>
      row([verbatim(peer), ...cells.map((edge) => (edge === undefined ? '' : kinds[kindOf(edge)].emoji))]),
    ),
    '',
    there.map((kind) => `${kinds[kind].emoji} ${kinds[kind].words}`).join(' · '),
  ]
}

function untested(report: MeshReport): string[] {
  const reasons = untestedIn(report)
  if (reasons.length === 0) return []
  return [
    '',
    '<details><summary>Not tested</summary>',
    '',
    ...reasons.map(
      ({ reason, ids, subjects, ignored }) =>
        `- ${marks.skip} ${ignored ? 'ignored: ' : ''}${someOf(ids, 'check')} of ${verbatim(someOf(subjects, 'place', 3))}: ${verbatim(reason)}`,
    ),
    '',
    '</details>',
  ]
}
