import { quoteName } from '../../core/name.js'
import type { ErrorCode } from '../../core/errors.js'
import type { LateCode } from '../../state/state.js'
import { printableEvent } from './printable-event.js'
import type { AuthOutcome } from './outcome.js'
import type { RefusalReason } from './refusal.js'
import { sourceOf, type AuthRequest } from './request.js'
import {
  contentUnseen,
  isProofReason,
  shownRefused,
  type ObservedContent,
  type ShownProof,
} from './shown-proof.js'

/** What every event of a request has. */
export interface EventBase {
  readonly at: Date
  readonly binding: 'http' | 'grpc'
  readonly source?: string
}

/** What happened, for an audit log. Contains no token, code or seed. */
export type AuthEvent = EventBase &
  (
    | ({
        readonly type: 'authenticated'
        readonly peer: string
        readonly seedId: string
        readonly timeStep: number
        readonly drift: number
      } & ShownProof)
    | ({
        /** `replayed`: a spent code under `once`, or a spent proof. `throttled`: a budget was already exhausted. */
        readonly type: 'refused' | 'replayed' | 'throttled'
        readonly reason: RefusalReason
        /** The peer that the token belongs to, if known. */
        readonly peer?: string
        /** For `guard-failed` and `delegate-failed`: why it could not be asked, such as `NOPERM` or `timeout`. */
        readonly cause?: string
        /** What to do about the cause. */
        readonly advice?: string
        /**
         * Present where `reason` is about a proof: how many refusals of the peer the event stands for. There is at most one
         * such event a second and peer; it describes the last of them.
         */
        readonly count?: number
      } & ShownProof)
    | {
        /**
         * Under `observe`, after `authenticated` for the same request: its content is not what its proof says, or nobody can
         * compare it, so that the request would be refused where proofs matter.
         */
        readonly type: 'proof_observed'
        readonly peer: string
        readonly proof: 'invalid'
        readonly proofReason: ObservedContent
        /** For `content-unseen`: what to do. */
        readonly advice?: string
      }
    | {
        /**
         * A wrong code turned out to be a code of a live seed outside of the window: the clock of the peer is wrong.
         * Emitted after `refused` for the same request.
         */
        readonly type: 'code_stale'
        readonly peer: string
        readonly seedId: string
        readonly timeStep: number
        /** In time steps; negative if the peer's clock is behind. */
        readonly drift: number
      }
    | {
        /**
         * Emitted once each time guesses have exhausted a budget, after `refused` for the same request. Late codes are not
         * among these guesses.
         */
        readonly type: 'token_compromise_suspected'
        readonly peer: string
        /** What to do. */
        readonly advice: string
      }
    | {
        /**
         * The token of a canary was sent. Emitted after `refused` for the same request and after the answer, at most once
         * a minute for each canary and source, and 100 times a minute for each canary.
         */
        readonly type: 'canary_used'
        readonly canary: string
        /** The id of its token, if it has one. */
        readonly id?: string
      }
    | {
        /**
         * Under `once`, an accepted code arrived again from another source; or an accepted proof did, under any policy:
         * somebody captured it. Once for each code or proof.
         */
        readonly type: 'code_from_two_sources'
        readonly peer: string
        readonly seedId: string
        /** Where it was accepted from, and where it came from then. */
        readonly sources: readonly [string, string]
      }
    | {
        /**
         * Two accepted codes of one seed cannot come from one clock: a second machine has the seed, or a clock was set. At
         * most once an hour and peer.
         */
        readonly type: 'clock_jumped'
        readonly peer: string
        readonly seedId: string
        /** The drifts of the two codes, in time steps; the second is that of this request. */
        readonly drifts: readonly [number, number]
      }
  )

/** What happened to the server file. */
export type ServerFileEvent = { readonly at: Date; readonly path: string } & (
  | {
      /** A changed file is in force. */
      readonly type: 'server_file_loaded'
      /** Of the store that the file was made from: it grows with each change. */
      readonly serial?: number
      /** Present if the previous file was newer: what was revoked in between is valid again. */
      readonly older?: true
    }
  | {
      /** A changed file is broken or missing; the previous one stays in force. */
      readonly type: 'server_file_refused'
      readonly code: ErrorCode
      readonly message: string
    }
  | {
      /** Every user of the machine can read the file, and so the seeds in it. */
      readonly type: 'server_file_exposed'
      readonly message: string
    }
)

/** Called after each outcome. Its result and its errors are ignored. */
export type OnEvent = (event: AuthEvent) => unknown

/**
 * Calls the listener with an event that is safe to log, whatever is in it. Its errors do not change the outcome, and
 * nobody waits for it.
 */
export function emit<E extends object>(onEvent: (event: E) => unknown, event: E): void {
  try {
    // Promise.resolve takes any thenable, also one of another realm.
    Promise.resolve(onEvent(printableEvent(event))).catch(() => undefined)
  } catch {
    // An error of the listener must not affect the caller.
  }
}

/** Emits the event that `make` returns, if any, once the answer is on its way, so that no caller can measure it. */
export function emitLater(onEvent: OnEvent, make: () => AuthEvent | undefined): void {
  setImmediate(() => {
    try {
      const event = make()
      if (event) emit(onEvent, event)
    } catch {
      // An error here has no caller, and would end the process.
    }
  })
}

/** The events of one decision, in order. */
export function eventsOf(
  { caller, refusal }: AuthOutcome,
  request: AuthRequest,
  at: Date,
  shown: ShownProof = {},
): AuthEvent[] {
  const base = eventBase(request, at)
  if (caller) {
    const { peer, seedId, timeStep, drift } = caller
    return [{ type: 'authenticated', ...base, peer, seedId, timeStep, drift, ...shown }]
  }
  const { kind, reason, peer, failure } = refusal
  const type = spent.has(reason) ? 'replayed' : kind === 'throttled' ? 'throttled' : 'refused'
  const proof = isProofReason(reason) ? shownRefused(reason) : shown
  return [{ type, ...base, reason, ...(peer !== undefined && { peer }), ...failure, ...proof }]
}

const spent: ReadonlySet<RefusalReason> = new Set(['code-replayed', 'proof-replayed'])

/** Under `observe`: what would have a request refused that was let in. */
export function proofObserved(peer: string, proofReason: ObservedContent, base: EventBase): AuthEvent {
  const advice = proofReason === 'content-unseen' ? { advice: contentUnseen.advice } : {}
  return { type: 'proof_observed', ...base, peer, proof: 'invalid', proofReason, ...advice }
}

export function codeStale(
  peer: string,
  { seedId, timeStep, drift }: LateCode & { readonly seedId: string },
  base: EventBase,
): AuthEvent {
  return { type: 'code_stale', ...base, peer, seedId, timeStep, drift }
}

export function compromiseSuspected(peer: string, base: EventBase): AuthEvent {
  const advice = `someone with a live token of ${quoteName(peer)} is guessing codes: rotate it`
  return { type: 'token_compromise_suspected', ...base, peer, advice }
}

export function eventBase(request: Pick<AuthRequest, 'binding' | 'source'>, at: Date): EventBase {
  const source = sourceOf(request)
  return { at, binding: request.binding, ...(source !== undefined && { source }) }
}
