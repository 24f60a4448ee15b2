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

/** What happened, for an audit log. Holds no token, no code and no seed. */
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
        /** `replayed`: a spent code under `once`. `throttled`: a budget was exhausted already. */
        readonly type: 'refused' | 'replayed' | 'throttled'
        readonly reason: RefusalReason
        /** Whose token it was, where that is known. */
        readonly peer?: string
      }
    | {
        /** Once for each time that a budget becomes exhausted; `refused` for the same request comes before it. */
        readonly type: 'token_compromise_suspected'
        readonly peer: string
        /** What to do about it. */
        readonly advice: string
      }
  )

/** Called after each decision. What it returns, throws or rejects with changes nothing. */
export type OnEvent = (event: AuthEvent) => unknown

/** Hands an event over; whoever listens cannot change the outcome, not even by throwing. */
export function emit<E>(onEvent: ((event: E) => unknown) | undefined, event: E): void {
  if (!onEvent) return
  try {
    const answer = onEvent(event)
    if (answer instanceof Promise) answer.catch(() => undefined)
  } catch {
    // The listener's trouble is not the caller's.
  }
}

/** An address as it is. Anything else is a header field behind a proxy, in which a caller may have put anything. */
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
  const advice = `someone who has a live token of ${quoteName(peer)} is guessing codes: rotate it`
  return [refused, { type: 'token_compromise_suspected', ...base, peer, advice }]
}
