import { findingsOf, type Finding } from '../../probe/report/findings.js'
import type { AgentResult, MeshCheck, MeshReport } from '../prove/mesh-report.js'
import { edgeFindingsOf, type EdgeFinding } from './edge-findings.js'

/** What is wrong at one agent: what its probe found, then what its edges showed. */
export interface AgentFindings {
  readonly agent: string
  /** Absent for one that is in no list of agents any more. */
  readonly result?: AgentResult
  readonly findings: readonly Finding[]
  readonly edges: readonly EdgeFinding[]
}

export interface MeshFindings {
  readonly mesh: readonly MeshCheck[]
  /** Those with something to say, those that failed first. */
  readonly agents: readonly AgentFindings[]
}

/** What is worth a paragraph: what failed, what is warned about, and agents that were not probed. */
export function meshFindings({ checks, agents, matrix }: MeshReport): MeshFindings {
  const edges = edgeFindingsOf(matrix)
  const names = new Set([...agents.map(({ agent }) => agent), ...edges.map(({ agent }) => agent)])
  const all = [...names].map((name): AgentFindings => {
    const result = agents.find(({ agent }) => agent === name)
    return {
      agent: name,
      ...(result === undefined ? {} : { result }),
      findings: findingsOf(result?.report?.checks ?? []).filter(({ status }) => status !== 'skip'),
      edges: edges.filter(({ agent }) => agent === name),
    }
  })
  const telling = all.filter(
    ({ findings, edges: own, result }) =>
      findings.length > 0 || own.length > 0 || (result !== undefined && !result.ok),
  )
  return {
    mesh: checks.filter(({ status }) => status === 'fail' || status === 'warn'),
    agents: [...telling.filter(hasFailure), ...telling.filter((one) => !hasFailure(one))],
  }
}

const hasFailure = ({ result, findings, edges }: AgentFindings): boolean =>
  result?.ok === false || [...findings, ...edges].some(({ status }) => status === 'fail')
