import type { Roster } from '../../core/roster.js'

/** What is known of an agent's store. `unopened`: nobody looked; `locked`: its key was not at hand. */
export const storeStates = ['read', 'missing', 'locked', 'unusable', 'unopened'] as const
export type StoreState = (typeof storeStates)[number]

/** The store of an agent, as far as it could be read without asking. */
export type StoreReading =
  | { readonly state: 'read'; readonly roster: Roster }
  /** `problem` says why, in one line. */
  | { readonly state: Exclude<StoreState, 'read'>; readonly problem?: string }
