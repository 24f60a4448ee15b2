import type { CheckResult } from '../../probe/index.js'
import { columnsOf, titleIn } from '../../probe/report/columns.js'
import type { AgentResult, EdgeResult, MeshReport } from '../prove/mesh-report.js'
import { admittedWords } from './kinds.js'
import type { RuleId } from './rules.js'

/** One result of a run: of the mesh, of an agent, or of an edge. */
export interface MeshResult extends Omit<CheckResult, 'id' | 'binding' | 'protocolVersion'> {
  readonly id: RuleId
  /** Null for the mesh as a whole. */
  readonly agent: string | null
  /** Null for the agent as a whole. */
  readonly peer: string | null
  /** The title of the cell; empty for what concerns all of them. */
  readonly column: string
  /** In the mesh file, from 1. */
  readonly line?: number
}

/** Every result of a run: those of the mesh, then those of each agent and its edges. */
export function resultsOf(report: MeshReport): MeshResult[] {
  const ofMesh = report.checks.map((check): MeshResult => ({
    ...check,
    ...{ agent: null, peer: null, column: '', url: null, durationMs: 0 },
  }))
  const names = new Set([
    ...report.agents.map(({ agent }) => agent),
    ...report.matrix.map(({ agent }) => agent),
  ])
  const ofAgents = [...names].flatMap((name) => [
    ...report.agents.filter(({ agent }) => agent === name).flatMap((agent) => ofAgent(agent, report)),
    ...report.matrix.filter(({ agent }) => agent === name).flatMap(ofEdge),
  ])
  return [...ofMesh, ...ofAgents]
}

/** What a result is of: the mesh, an agent, or an edge as `PEER -> AGENT`. */
export function subjectOf({ agent, peer }: Pick<MeshResult, 'agent' | 'peer'>): string {
  if (agent === null) return 'mesh'
  return peer === null ? agent : edgeName({ peer, agent })
}

export const edgeName = ({ peer, agent }: Pick<EdgeResult, 'peer' | 'agent'>): string => `${peer} -> ${agent}`

/** The line of an agent is that of the edge as which it was probed, else of its first edge. */
function ofAgent(result: AgentResult, { matrix }: MeshReport): MeshResult[] {
  const edges = matrix.filter(({ agent, line }) => agent === result.agent && line !== undefined)
  const { line } = edges.find(({ peer }) => peer === result.peer) ?? edges[0] ?? {}
  const place = { agent: result.agent, peer: null, ...(line === undefined ? {} : { line }) }
  if (result.report !== null) return placed(result.report.checks, place)
  const { url, detail, ok } = result
  const status = ok ? 'skip' : 'fail'
  const own = { status, expected: 'it is probed', actual: 'not probed', detail } as const
  return [{ id: 'mesh.agent', ...place, column: '', url, ...own, durationMs: 0 }]
}

/** The checks of an edge, and the edge itself where none of them has its status. */
function ofEdge(edge: EdgeResult): MeshResult[] {
  const { peer, agent, status, line, detail, declared, expired } = edge
  const place = { agent, peer, ...(line === undefined ? {} : { line }) }
  const checks = placed(edge.checks, place)
  if (checks.some((check) => check.status === status)) return checks
  const own: MeshResult = {
    id: 'mesh.edge',
    ...place,
    column: '',
    url: null,
    status,
    expected: declared && expired !== true ? 'let in' : 'refused',
    actual: admittedWords(edge),
    detail,
    durationMs: 0,
  }
  return [own, ...checks]
}

function placed(
  checks: readonly CheckResult[],
  place: Pick<MeshResult, 'agent' | 'peer' | 'line'>,
): MeshResult[] {
  const columns = columnsOf(checks)
  return checks.map((check) => {
    const { id, url, status, expected, actual, detail, durationMs, ignored } = check
    const column = titleIn(columns, check)
    const own = { id, url, status, expected, actual, detail, durationMs }
    return { ...own, column, ...place, ...(ignored === true ? { ignored } : {}) }
  })
}
