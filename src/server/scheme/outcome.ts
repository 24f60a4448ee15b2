import type { Refusal } from './refusal.js'

/** What both factors of a caller showed. */
export interface CallerFacts {
  readonly peer: string
  /** The seed and the time step that the code belongs to. */
  readonly seedId: string
  readonly timeStep: number
  /** In time steps; negative if the peer's clock is behind. */
  readonly drift: number
  /** The agent's name, if the scheme knows it. */
  readonly agent?: string
  /**
   * `signed`: by a proof that the request is bound to. `signed-head`: by one whose content nobody has compared, in forward
   * authentication. `code`: by the code alone.
   */
  readonly proof: 'code' | 'signed' | 'signed-head'
  /** Anything else that the delegate proved. */
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * The peer that was let in, and what both factors showed.
 *
 * A class, so that TypeScript knows that a copy made with `{ ...caller }` has no signal; JSON has none either.
 */
export abstract class Caller implements CallerFacts {
  abstract readonly peer: string
  abstract readonly seedId: string
  abstract readonly timeStep: number
  abstract readonly drift: number
  abstract readonly agent?: string
  abstract readonly proof: 'code' | 'signed' | 'signed-head'
  abstract readonly claims: Readonly<Record<string, unknown>>

  /**
   * Aborts when the token or the seed that the request used expires, or when a changed server file no longer has it (or
   * has the token for another peer). If that has happened already, it is aborted when it is first read. Its reason is a
   * `TOTPError`: `ERR_CREDENTIAL_EXPIRED` or `ERR_CREDENTIAL_REVOKED`. Closing the scheme does not abort it.
   *
   * It lives as long as the caller, and so at least as long as the request.
   */
  abstract get signal(): AbortSignal
}

/** What `authenticate` returns: a caller or a refusal. */
export type AuthOutcome =
  | { readonly caller: Caller; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly caller?: never }
