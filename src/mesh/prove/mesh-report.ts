import type { CheckResult, CheckStatus, ProbeReport, Summary } from '../../probe/index.js'

/** Checks of the mesh as a whole, which send nothing. */
export const meshCheckIds = ['mesh.separate', 'mesh.removed', 'mesh.coverage'] as const
export type MeshCheckId = (typeof meshCheckIds)[number]

/**
 * `mesh.separate`: no seed and no token is in two stores. `mesh.removed`: removed edges were refused with the credentials
 * they had. `mesh.coverage`: every agent and edge was shown, and names each that was not.
 */
export interface MeshCheck {
  readonly id: MeshCheckId
  readonly status: CheckStatus
  readonly expected: string
  readonly actual: string
  readonly detail: string
}

/** One agent, probed in full once as one of its peers, or without credentials where none can call it. */
export interface AgentResult {
  readonly agent: string
  readonly url: string
  /** The peer whose credentials were used; null if it has no edge that can be used. */
  readonly peer: string | null
  readonly ok: boolean
  readonly reachable: boolean
  /** Null where nothing could be sent; `detail` says why. */
  readonly report: ProbeReport | null
  readonly detail: string
}

/** One pair of a peer and an agent: a cell of the matrix. */
export interface EdgeResult {
  readonly peer: string
  readonly agent: string
  /** Whether the file says that the peer may call the agent. */
  readonly declared: boolean
  /** Whether it was let in, as far as that was shown: null where it was not. */
  readonly admitted: boolean | null
  readonly status: CheckStatus
  /** Set for an edge that `apply --prune` removed, and that was sent its kept credentials. */
  readonly removed?: true
  /** Set for a declared edge whose credentials have expired. */
  readonly expired?: true
  /** What was seen, or why nothing was; without secrets. */
  readonly detail: string
  /** The checks that were made for this edge; those of a full probe are in its agent's report. As JSON both are here. */
  readonly checks: readonly CheckResult[]
  /** Distinct wrong codes sent with its live token in this run. */
  readonly guessesSpent: number
  /** Of the edge in the file, from 1. Absent for an undeclared one. */
  readonly line?: number
}

/** What `mesh prove` found. */
export interface MeshReport {
  /** Of the report's form. */
  readonly version: 1
  /** The mesh file, as it is named. */
  readonly mesh: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly durationMs: number
  readonly ok: boolean
  readonly strict: boolean
  /** Whether any agent answered. */
  readonly reachable: boolean
  /** The options that narrowed the run, as given. */
  readonly narrowed: readonly string[]
  /** One sentence that explains most of what failed. */
  readonly diagnosis?: string
  readonly guessesSpent: number
  readonly requests: number
  /** Of all checks: those of the mesh, of agents and of edges. */
  readonly summary: Summary
  readonly checks: readonly MeshCheck[]
  /** In the order of the file. */
  readonly agents: readonly AgentResult[]
  /** Every peer with every agent, agents within peers, in the order of the file; removed peers last. */
  readonly matrix: readonly EdgeResult[]
}
