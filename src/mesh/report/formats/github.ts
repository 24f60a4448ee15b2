import type { FormatOptions } from '../../../probe/index.js'
import {
  annotationOf,
  command,
  limited,
  mostOfLevel,
  type Annotation,
} from '../../../probe/report/formats/github.js'
import { isFailing } from '../../../probe/report/report.js'
import { costOf, countsOf, joined, narrowingOf, verdictOf } from '../../../probe/report/words.js'
import type { MeshCheck, MeshReport } from '../../prove/mesh-report.js'
import { edgesOf, type EdgeFinding } from '../edge-findings.js'
import { meshFindings, type AgentFindings } from '../findings.js'
import { countKinds } from '../kinds.js'
import { resultsOf, subjectOf } from '../results.js'
import { textsOf } from '../rules.js'
import { proveTitle, sizeOf } from '../words.js'

/** An annotation, and whether it is a failure. */
interface Judged {
  readonly failing: boolean
  readonly annotation: Annotation
}

/**
 * The report as workflow commands of GitHub Actions: the diagnosis, an annotation for each finding, those of edges at their
 * lines of the mesh file, and one for the verdict.
 */
export function renderGithub(report: MeshReport, { location }: FormatOptions): string {
  const { mesh, agents } = meshFindings(report)
  const judged = (status: MeshCheck['status'], annotation: Annotation): Judged => ({
    failing: isFailing({ status }, report),
    annotation,
  })
  const all = [
    ...mesh.map((check) => judged(check.status, ofCheck(check))),
    ...agents.flatMap((agent) => [
      ...silentOf(agent).map((annotation) => judged('fail', annotation)),
      ...agent.edges.map((edge) => judged(edge.status, ofEdge(edge, location))),
      ...agent.findings.map((finding) => {
        const { title, message } = annotationOf(finding)
        return judged(finding.status, { title: `${agent.agent}: ${title}`, message })
      }),
    ]),
  ]
  const of = (failing: boolean): Annotation[] =>
    all.filter((one) => one.failing === failing).map(({ annotation }) => annotation)
  const lines = [
    ...limited(of(true)).map((one) => command('error', one)),
    ...limited(of(false)).map((one) => command('warning', one)),
    ...limited(ignoredIn(report), mostOfLevel - 2).map((one) => command('notice', one)),
  ]
  // First what explains the findings, and that the run was narrowed.
  const opening = joined('\n', report.diagnosis ?? '', narrowingOf(report))
  if (opening !== '' && lines.length > 0) {
    lines.unshift(command('notice', { title: proveTitle, message: opening }))
  }
  return `${[...lines, command('notice', verdict(report))].join('\n')}\n`
}

function verdict(report: MeshReport): Annotation {
  const message = `${verdictOf(report)} ${countsOf(report)} (${costOf(report)})`
  const size = `${report.mesh}: ${sizeOf(report)}`
  return {
    title: proveTitle,
    message: joined('\n', message, size, countKinds(report.matrix), narrowingOf(report)),
  }
}

function ofCheck({ id, expected, actual, detail }: MeshCheck): Annotation {
  const fix = textsOf(id).mend[0] ?? ''
  return { title: id, message: joined(' ', `expected ${expected}, actual ${actual}.`, detail, fix) }
}

/** An agent that was not probed. */
function silentOf({ agent, result }: AgentFindings): Annotation[] {
  if (result === undefined || result.ok || result.report !== null) return []
  const message = joined(' ', `${result.detail} (${result.url}).`, textsOf('mesh.agent').mend[0] ?? '')
  return [{ title: `${agent}: mesh.agent`, message }]
}

function ofEdge(finding: EdgeFinding, location: string | undefined): Annotation {
  const { expected, actual, detail, findings, fix, line } = finding
  const message = joined(
    ' ',
    expected === '' ? '' : `expected ${expected}, actual ${actual}.`,
    detail,
    ...findings.map((one) => {
      const { title, message: words } = annotationOf(one)
      return `${title}: ${words}`
    }),
    fix,
  )
  const place = location === undefined || line === undefined ? {} : { file: location, line }
  return { title: edgesOf(finding), message, ...place }
}

const ignoredIn = (report: MeshReport): Annotation[] =>
  resultsOf(report)
    .filter(({ ignored }) => ignored === true)
    .map((result) => ({
      title: joined(' ', `${subjectOf(result)}:`, result.id, result.column),
      message: result.detail,
    }))
