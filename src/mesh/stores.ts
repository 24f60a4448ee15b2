import type { Roster } from '../core/roster.js'
import type { MeshAgent } from './file/mesh.js'

/** The store of one agent, as the command line opens it: with its keys, its lock and its record. */
export interface MeshStore {
  readonly path: string
  exists(): boolean
  /** @throws {TOTPError} `ERR_STORE_*` */
  read(): Promise<Roster>
  /** Creates it. @throws {TOTPError} `ERR_STORE_EXISTS`, `ERR_STORE_UNWRITABLE` */
  create(roster: Roster): Promise<void>
  /** Changes it as one step, and returns what it holds now. The same roster changes nothing. */
  update(change: (roster: Roster) => Roster): Promise<Roster>
}

/** Returns the store of an agent. The same one for the same agent. */
export type MeshStores = (agent: MeshAgent) => MeshStore
