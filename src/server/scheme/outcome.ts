import type { Refusal } from './refusal.js'

/** The peer that was let in, and what both factors showed. */
export interface Caller {
  readonly peer: string
  /** The seed and the time step that the code belongs to. */
  readonly seedId: string
  readonly timeStep: number
  /** In time steps; negative if the peer's clock is behind. */
  readonly drift: number
  /** Anything else that the delegate proved. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** What `authenticate` returns: a caller or a refusal. */
export type AuthOutcome =
  | { readonly caller: Caller; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly caller?: never }
