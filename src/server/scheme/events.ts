import { quoteName } from '../../core/name.js'
import { printable } from '../../core/text.js'
import type { AuthOutcome } from './outcome.js'
import type { RefusalReason } from './refusal.js'
import type { AuthRequest } from './request.js'

interface EventBase {
  readonly at: Date
  readonly binding: 'http' | 'grpc'
  readonly source?: string
}

/** What happened, for an audit log. Contains no token, code or seed. */
export type AuthEvent = EventBase &
  (
    | {
        readonly type: 'authenticated'
        readonly peer: string
        readonly seedId: string
        readonly timeStep: number
        readonly drift: number
      }
    | {
        /** `replayed`: a spent code under `once`. `throttled`: a budget was already exhausted. */
        readonly type: 'refused' | 'replayed' | 'throttled'
        readonly reason: RefusalReason
        /** The peer that the token belongs to, if known. */
        readonly peer?: string
      }
    | {
        /** Emitted once each time a budget becomes exhausted, after `refused` for the same request. */
        readonly type: 'token_compromise_suspected'
        readonly peer: string
        /** What to do. */
        readonly advice: string
      }
  )

/** Called after each outcome. Its result and its errors are ignored. */
export type OnEvent = (event: AuthEvent) => unknown

/** Calls the listener, whose errors do not change the outcome. */
export function emit<E>(onEvent: ((event: E) => unknown) | undefined, event: E): void {
  if (!onEvent) return
  try {
    const result = onEvent(event)
    if (result instanceof Promise) result.catch(() => undefined)
  } catch {
    // An error of the listener must not affect the caller.
  }
}

/** Leaves an address as it is. Anything else comes from a header field, in which a caller can put anything. */
const shownSource = (source: string): string =>
  /^(?!.*::.*::)[\da-f.:]{2,45}$/i.test(source) ? source : printable(source)

/** The events of one decision, in order. */
export function eventsOf({ caller, refusal }: AuthOutcome, request: AuthRequest, at: Date): AuthEvent[] {
  const { binding, source } = request
  const base = { at, binding, ...(source !== undefined && { source: shownSource(source) }) }
  if (caller) {
    const { peer, seedId, timeStep, drift } = caller
    return [{ type: 'authenticated', ...base, peer, seedId, timeStep, drift }]
  }
  const { kind, reason, peer } = refusal
  const type = reason === 'code-replayed' ? 'replayed' : kind === 'throttled' ? 'throttled' : 'refused'
  const refused: AuthEvent = { type, ...base, reason, ...(peer !== undefined && { peer }) }
  if (!refusal.compromiseSuspected || peer === undefined) return [refused]
  const advice = `someone with a live token of ${quoteName(peer)} is guessing codes: rotate it`
  return [refused, { type: 'token_compromise_suspected', ...base, peer, advice }]
}
