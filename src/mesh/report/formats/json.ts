import { jsonText } from '../../../core/text.js'
import type { EdgeResult, MeshReport } from '../../prove/mesh-report.js'
import { thinIds } from '../../prove/shown.js'

/** Returns the report as JSON. */
export const renderJson = (report: MeshReport): string => `${jsonText(documentOf(report))}\n`

/**
 * Returns the report as programs get it. One that reads the matrix finds the checks of every declared edge there: of the edge
 * that its agent was probed in full as, those that all edges have. They are counted once.
 */
export function documentOf(report: MeshReport): MeshReport {
  return { ...report, matrix: report.matrix.map((edge) => withChecks(report, edge)) }
}

function withChecks({ agents }: MeshReport, edge: EdgeResult): EdgeResult {
  const full = agents.find(({ agent, peer }) => agent === edge.agent && peer === edge.peer)?.report
  if (!full || !edge.declared || edge.checks.length > 0) return edge
  return { ...edge, checks: full.checks.filter(({ id }) => thinIds.has(id)) }
}
