import { jsonText, printable } from '../../../core/text.js'
import type { FormatOptions } from '../../../probe/index.js'
import { paragraph, styleOf, textOf, type Style } from '../../../probe/report/formats/pretty.js'
import { costOf, joined, narrowingOf, strictCountsOf, verdictOf } from '../../../probe/report/words.js'
import type { AgentResult, MeshCheck, MeshReport } from '../../prove/mesh-report.js'
import { edgesOf, type EdgeFinding } from '../edge-findings.js'
import { meshFindings, type AgentFindings } from '../findings.js'
import { textsOf } from '../rules.js'
import { someOf, untestedIn } from '../untested.js'
import { agentNumbers, agentVerdict, proveTitle, sizeOf } from '../words.js'
import { matrixLines } from './pretty-matrix.js'

/**
 * The report for a person: a diagnosis, the checks of the mesh, the agents, the matrix, then what is wrong with each agent
 * and its edges and what to do about it, then the verdict.
 */
export function renderPretty(report: MeshReport, options: FormatOptions): string {
  const style = styleOf(options)
  const { mesh, agents } = meshFindings(report)
  const lines = [
    ...opening(report, style),
    '',
    ...ofMesh(report.checks, style),
    '',
    ...agentRows(report.agents, style),
    ...(report.matrix.length === 0 ? [] : ['', ...matrixLines(report, style, options)]),
    ...mesh.flatMap((check) => ['', ...checkParagraph(check, style)]),
    ...alike(agents).flatMap((group) => ofAgents(group, style)),
    ...untestedLines(report, style),
    '',
    closing(report, style),
    '',
  ]
  return textOf(lines, options)
}

/** The first line says by what the run was narrowed. */
function opening(report: MeshReport, { chalk }: Style): string[] {
  const { diagnosis, mesh } = report
  const title = chalk.bold(`${proveTitle}: ${mesh}`)
  const narrowing = narrowingOf(report)
  const narrowed = narrowing === '' ? '' : chalk.yellow(narrowing)
  const size = chalk.dim(sizeOf(report))
  return diagnosis === undefined
    ? [joined('  ', title, narrowed), size]
    : [joined('  ', chalk.red.bold(diagnosis), narrowed), title, size]
}

function ofMesh(checks: readonly MeshCheck[], { chalk, mark, paint }: Style): string[] {
  const width = Math.max(...checks.map(({ id }) => id.length), 0)
  return checks.map(
    ({ id, status, actual }) => `  ${id.padEnd(width)}  ${paint[status](mark(status))}  ${chalk.dim(actual)}`,
  )
}

/** The agents with their numbers, which head the columns of the matrix. */
function agentRows(agents: readonly AgentResult[], { chalk, paint }: Style): string[] {
  const width = Math.max(...agents.map(({ agent }) => agent.length), 0)
  const verdicts = Math.max(...agents.map((agent) => agentVerdict(agent).length), 0)
  const digits = String(agents.length).length
  return agents.map((agent, index) => {
    const verdict = agentVerdict(agent)
    const colour = verdict === 'PASS' ? paint.pass : verdict === 'not probed' ? paint.skip : paint.fail
    const number = String(index + 1).padStart(digits)
    return `  ${number} ${agent.agent.padEnd(width)}  ${colour(verdict.padEnd(verdicts))}  ${chalk.dim(agentNumbers(agent))}`.trimEnd()
  })
}

function checkParagraph({ id, status, expected, actual, detail }: MeshCheck, style: Style): string[] {
  const { paint, mark } = style
  return [
    paint[status](`${mark(status)} ${id}`),
    `    expected  ${expected}`,
    `    actual    ${actual}`,
    ...(detail === '' ? [] : [`    ${detail}`]),
    ...textsOf(id).mend.map((step) => `    ${step}`),
  ]
}

/** Agents of which the same is said, and of no edge anything: twenty copies of a warning are read by nobody. */
function alike(agents: readonly AgentFindings[]): AgentFindings[][] {
  const groups = new Map<string, AgentFindings[]>()
  for (const one of agents) {
    const { agent, result, findings, edges } = one
    const own = edges.length > 0 || !result?.report ? agent : (result.report.diagnosis ?? '')
    const key = jsonText([own, findings])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()]
}

function ofAgents(group: readonly AgentFindings[], style: Style): string[] {
  const [first] = group
  if (first === undefined) return []
  if (group.length === 1) return ofAgent(first, style)
  const names = group.map(({ agent }) => agent).join(', ')
  return ['', style.chalk.bold(names), ...ofAgent(first, style).slice(2)]
}

function ofAgent({ agent, result, findings, edges }: AgentFindings, style: Style): string[] {
  const { chalk } = style
  const about =
    result === undefined ? '' : joined(', ', result.url, result.peer === null ? '' : `as ${result.peer}`)
  const diagnosis = result?.report?.diagnosis
  const silent = result?.report === null ? result.detail : ''
  return [
    '',
    joined('  ', chalk.bold(agent), chalk.dim(about)),
    ...(silent === '' ? [] : [`  ${silent}`, ...textsOf('mesh.agent').mend.map((step) => `  ${step}`)]),
    ...(diagnosis === undefined ? [] : [`  ${chalk.red(diagnosis)}`]),
    ...findings.flatMap((finding) => indented(paragraph(finding, style))),
    ...edges.flatMap((finding) => indented(edgeParagraph(finding, style))),
  ]
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)

function edgeParagraph(finding: EdgeFinding, style: Style): string[] {
  const { chalk, paint, mark } = style
  const { status, line, expected, actual, detail, findings, fix } = finding
  const place = line === undefined ? '' : chalk.dim(`line ${line}`)
  const [first] = finding.peers
  return [
    joined('  ', paint[status](`${mark(status)} ${edgesOf(finding)}`), place),
    ...(expected === '' ? [] : [`    expected  ${expected}`, `    actual    ${actual}`]),
    ...(detail === '' ? [] : [`    ${finding.peers.length > 1 ? `${first ?? ''}: ` : ''}${detail}`]),
    ...findings.flatMap((one) => indented(paragraph(one, style))),
    `    fix       ${printable(fix)}`,
  ]
}

/** One line for each reason: more of them say less. */
function untestedLines(report: MeshReport, { chalk, paint, mark }: Style): string[] {
  const reasons = untestedIn(report)
  if (reasons.length === 0) return []
  return [
    '',
    chalk.dim('not tested'),
    ...reasons.map(({ reason, ids, subjects, ignored }) => {
      const what = `${someOf(ids, 'check')} of ${someOf(subjects, 'place', 3)}`
      const said = ignored && !reason.startsWith('ignored') ? `ignored: ${reason}` : reason
      return `  ${paint.skip(mark('skip'))} ${what}: ${chalk.dim(said)}`
    }),
  ]
}

function closing(report: MeshReport, { chalk }: Style): string {
  const word = (report.ok ? chalk.green : chalk.red).bold(verdictOf(report))
  return joined('  ', word, strictCountsOf(report), chalk.dim(`(${costOf(report)})`), narrowingOf(report))
}
