import { isTOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import type { Mesh, MeshEdge } from '../file/mesh.js'
import type { Delivered } from './delivered.js'
import { readRecord, writeRecord } from './delivery-record.js'
import { lookAtFiles, type SeenRecord } from './places.js'
import { throwIfInterrupted, type MeshWork, type Problem } from './ports.js'

/** The name of an edge, as `PEER:AGENT`. */
export const edgeName = ({ peer, agent }: Pick<MeshEdge, 'peer' | 'agent'>): string => `${peer}:${agent}`

/** What a peer may be told in this run: no more than its agents have heard of. */
export interface ClientTarget {
  readonly rosters: ReadonlyMap<string, Roster>
  /** Agents that are left out. */
  readonly without: readonly string[]
  /** Agents that the peer was told of, and may no longer call: they stay until they are pruned. */
  readonly also: readonly string[]
  /** Agents of which the peer keeps what it has. */
  readonly keptBack: readonly string[]
  /** One of them for which the whole file has to wait, since what the peer has of it cannot be made again. */
  readonly waitsFor: string | undefined
}

/** One run: what the stores hold, what was delivered, and what failed. */
export class MeshRun {
  /** What the stores hold now. Without those that do not exist. */
  readonly rosters: Map<string, Roster>
  /** What failed, by agent, peer or edge. */
  readonly problems = {
    stores: new Map<string, string>(),
    servers: new Map<string, string>(),
    clients: new Map<string, string>(),
    edges: new Map<string, string>(),
  }
  /** Agents whose store is as it should be. */
  readonly stored = new Set<string>()
  /** Stores whose server files their agents can read. */
  readonly readable = new WeakSet<Roster>()
  /** What peers may be told. */
  readonly targets = new Map<string, ClientTarget>()
  /** Whose files this run has delivered. */
  readonly delivered = { agents: new Set<string>(), peers: new Set<string>() }
  /** What was delivered, as it is remembered. */
  readonly remembered: { readonly agents: Map<string, Delivered>; readonly peers: Map<string, Delivered> }
  /** The same, without what is no longer where it was written. */
  readonly seen: SeenRecord
  #changed = false

  constructor(
    readonly work: MeshWork,
    readonly before: ReadonlyMap<string, Roster>,
  ) {
    this.rosters = new Map(before)
    const { agents, peers } = readRecord(work.mesh.path)
    this.remembered = { agents: new Map(agents), peers: new Map(peers) }
    this.seen = lookAtFiles(work.mesh, this.remembered)
  }

  get mesh(): Mesh {
    return this.work.mesh
  }

  remember(kind: 'agents' | 'peers', name: string, delivered: Delivered): void {
    this.remembered[kind].set(name, delivered)
    this.seen[kind].set(name, delivered)
    this.delivered[kind].add(name)
    this.#changed = true
  }

  /** Writes down what was delivered, if anything was since the last time. */
  keepRecord(): void {
    if (!this.#changed) return
    writeRecord(this.mesh.path, this.remembered)
    this.#changed = false
  }

  /** A failure of one agent or peer is no reason to leave the others. */
  async attempt(work: () => Promise<Problem>): Promise<Problem> {
    throwIfInterrupted(this.work)
    try {
      const problem = await work()
      if (problem !== undefined) throwIfInterrupted(this.work)
      return problem
    } catch (error) {
      return this.#problemOf(error)
    }
  }

  /** The same for work that waits for nothing. */
  try(work: () => void): Problem {
    try {
      work()
      return undefined
    } catch (error) {
      return this.#problemOf(error)
    }
  }

  #problemOf(error: unknown): string {
    if (isTOTPError(error) && !this.work.signal.aborted) return error.message
    throw error
  }
}
