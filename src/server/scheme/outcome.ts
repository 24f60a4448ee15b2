import type { Refusal } from './refusal.js'

/** The caller that was let in, and what both factors showed. */
export interface Caller {
  readonly peer: string
  /** The seed and the time step that the code belongs to. */
  readonly seedId: string
  readonly timeStep: number
  /** In time steps; negative where the peer's clock is behind. */
  readonly drift: number
  /** What the delegate proved besides. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** What `authenticate` returns: exactly one of the two. */
export type AuthOutcome =
  | { readonly caller: Caller; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly caller?: never }
