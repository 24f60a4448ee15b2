import type { FieldValue } from '../../core/changes.js'

export type ChangeAction = 'create' | 'change' | 'rotate' | 'remove' | 'deliver'

/**
 * One difference between a mesh file and its stores. Without a peer it is of the agent: its store, a field of it, or the
 * delivery of its server file. With one it is of that edge; `deliver` then is of the peer's client file, which a change of
 * that edge has made anew.
 */
export interface MeshChange {
  readonly agent: string
  /** The peer, or with `canary` the canary. */
  readonly peer?: string
  /** What changes, for `change`; why, for `rotate`: `age`, `pending`, or the field of the profile that differs. */
  readonly field?: string
  readonly action: ChangeAction
  /** For `change`. */
  readonly from?: FieldValue
  readonly to?: FieldValue
  readonly canary?: true
  /** What has to be said for it to be done: `prune` for a removal, `yes` for what locks peers out for a while. */
  readonly needs?: 'prune' | 'yes'
  /** Why it cannot be done, where that is known before anything is. */
  readonly blocked?: string
}

/** What is to be done so that the stores, and what was delivered, are as the file says. Holds no secret. */
export interface Plan {
  /** In the order in which they are done: stores, server files, client files. */
  readonly changes: readonly MeshChange[]
  /** What the file cannot change, and what to do about it. */
  readonly remarks: readonly string[]
}

/** A change and whether it was done. */
export interface DoneChange extends MeshChange {
  readonly done: boolean
  /** Why not. */
  readonly problem?: string
}
