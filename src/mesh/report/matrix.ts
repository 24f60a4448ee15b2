import type { EdgeResult, MeshReport } from '../prove/mesh-report.js'
import { kindOf } from './kinds.js'

/** The matrix as rows and columns. */
export interface Grid {
  /** In the order of the report. */
  readonly agents: readonly string[]
  readonly rows: readonly Row[]
}

export interface Row {
  readonly peer: string
  /** One for each agent; undefined where the report has no such pair. */
  readonly cells: readonly (EdgeResult | undefined)[]
}

/** A peer that was removed can be there again, and more than once: a cell shows the worst of them. */
const worstFirst = [
  'intruder',
  'refused',
  'unsafe',
  'unknown',
  'warned',
  'expired',
  'open',
  'removed',
  'shut',
]
const badness = (edge: EdgeResult): number => worstFirst.indexOf(kindOf(edge))

export function gridOf({ agents, matrix }: Pick<MeshReport, 'agents' | 'matrix'>): Grid {
  const names = [...new Set([...agents.map(({ agent }) => agent), ...matrix.map(({ agent }) => agent)])]
  const peers = new Map<string, Map<string, EdgeResult>>()
  for (const edge of matrix) {
    const row = peers.get(edge.peer) ?? new Map<string, EdgeResult>()
    const known = row.get(edge.agent)
    if (known === undefined || badness(edge) < badness(known)) row.set(edge.agent, edge)
    peers.set(edge.peer, row)
  }
  return {
    agents: names,
    rows: [...peers].map(([peer, row]) => ({ peer, cells: names.map((agent) => row.get(agent)) })),
  }
}
