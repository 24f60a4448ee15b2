import type { Roster } from '../../core/roster.js'

/** What is known of an agent's store. `unopened`: nobody looked; `locked`: its key was not at hand. */
export type StoreState = 'read' | 'missing' | 'locked' | 'unusable' | 'unopened'

/** The store of an agent, as far as it could be read without asking. */
export type StoreReading =
  | { readonly state: 'read'; readonly roster: Roster }
  /** `problem` says why, in one line. */
  | { readonly state: Exclude<StoreState, 'read'>; readonly problem?: string }
