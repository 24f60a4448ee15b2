import type { RandomBytes } from '../../core/random.js'
import type { Roster } from '../../core/roster.js'
import type { Mesh, MeshAgent, MeshPeer } from '../file/mesh.js'
import type { MeshStores } from '../stores.js'

/** Why something was not done; undefined when it was. */
export type Problem = string | undefined

/** Hands files to both ends of an edge. What fails is returned, so that the others still get theirs. */
export interface Delivery {
  /** @throws {TOTPError} `ERR_CONFIG_INVALID` for a server file that its agent would refuse */
  check(document: object): void
  server(agent: MeshAgent, roster: Roster, document: object): Promise<Problem>
  /** @param rosters those of the agents in the file, for their secrets */
  client(peer: MeshPeer, rosters: readonly Roster[], document: object): Promise<Problem>
}

/** Asks a live agent, without a wrong code. */
export interface Proof {
  /** Waits until the agent lets the peer in with its newest credentials. */
  admitted(agent: MeshAgent, roster: Roster, peer: string): Promise<Problem>
  /** Shows that both factors are demanded, and let the peer in. */
  proved(agent: MeshAgent, roster: Roster, peer: string): Promise<Problem>
}

export interface Talk {
  say(text: string): void
  /** How far the work has come, where somebody watches. */
  show(text: string): Promise<void>
}

/** What a mesh is applied with. */
export interface MeshWork {
  readonly mesh: Mesh
  readonly stores: MeshStores
  /** @throws {TOTPError} `ERR_CONFIG_INVALID` when the file no longer says what it said when it was read */
  readonly requireCurrent: () => void
  readonly delivery: Delivery
  /** Without it nobody asks the agents. */
  readonly proof?: Proof
  readonly now: () => Date
  readonly random: RandomBytes
  readonly sleep: (ms: number) => Promise<void>
  readonly signal: AbortSignal
  /** Deliveries at once. */
  readonly concurrency: number
  readonly talk: Talk
}

/** @throws when the run was interrupted: what is done is kept, and the next run goes on */
export function throwIfInterrupted({ signal }: Pick<MeshWork, 'signal'>): void {
  if (signal.aborted) throw new Error('interrupted')
}
