import type { Roster } from '../../core/roster.js'
import type { ProbeOptions } from '../../probe/index.js'
import type { Mesh } from '../file/mesh.js'

/** What is proved, and how. Times, hosts and certificates are as a probe has them. */
export interface ProveOptions extends Pick<
  ProbeOptions,
  | 'strict'
  | 'insecureHttp'
  | 'ca'
  | 'proxy'
  | 'rate'
  | 'timeoutMs'
  | 'deadlineMs'
  | 'waitMs'
  | 'now'
  | 'random'
  | 'sleep'
  | 'pause'
  | 'announce'
> {
  readonly mesh: Mesh
  /** The mesh file, as the report names it. */
  readonly name: string
  /** By the agent's name: what each store holds. */
  readonly rosters: ReadonlyMap<string, Roster>
  /** What the run is narrowed to: `AGENT`, `PEER:AGENT`. */
  readonly only?: readonly string[]
  /** Whether to make a task at each agent with two peers, and ask for it as the other: a side effect. */
  readonly isolation?: boolean
  /** Whether to send whole credentials of edges to other agents; see {@link crossingsOf}. */
  readonly cross?: boolean
  /** The most probes under way at a time. */
  readonly concurrency?: number
  readonly progress?: (state: ProveProgress) => void
}

/** How far a run is. */
export interface ProveProgress {
  readonly agents: { readonly done: number; readonly of: number }
  readonly edges: { readonly done: number; readonly of: number }
  readonly requests: number
}
