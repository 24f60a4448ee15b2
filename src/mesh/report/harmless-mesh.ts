import { printableUrl } from '../../core/text.js'
import { harmless, harmlessCheck, harmlessText } from '../../probe/report/harmless.js'
import type { AgentResult, EdgeResult, MeshCheck, MeshReport } from '../prove/mesh-report.js'

/** A report without control characters and without commands to a CI runner in any of its texts, whoever wrote them. */
export function harmlessMesh(report: MeshReport): MeshReport {
  const { diagnosis } = report
  return {
    ...report,
    mesh: harmlessText(report.mesh),
    narrowed: report.narrowed.map(harmlessText),
    ...(diagnosis === undefined ? {} : { diagnosis: harmlessText(diagnosis) }),
    checks: report.checks.map(harmlessMeshCheck),
    agents: report.agents.map(harmlessAgent),
    matrix: report.matrix.map(harmlessEdge),
  }
}

function harmlessMeshCheck(check: MeshCheck): MeshCheck {
  return {
    ...check,
    expected: harmlessText(check.expected),
    actual: harmlessText(check.actual),
    detail: harmlessText(check.detail),
  }
}

function harmlessAgent(agent: AgentResult): AgentResult {
  return {
    ...agent,
    agent: harmlessText(agent.agent),
    url: printableUrl(agent.url),
    peer: agent.peer === null ? null : harmlessText(agent.peer),
    report: agent.report === null ? null : harmless(agent.report),
    detail: harmlessText(agent.detail),
  }
}

function harmlessEdge(edge: EdgeResult): EdgeResult {
  return {
    ...edge,
    peer: harmlessText(edge.peer),
    agent: harmlessText(edge.agent),
    detail: harmlessText(edge.detail),
    checks: edge.checks.map(harmlessCheck),
  }
}
