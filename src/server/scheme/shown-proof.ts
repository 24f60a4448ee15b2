import { proofReasons, type ProofReason } from '../../core/proof/profile.js'
import type { Failure } from '../../state/failure.js'

/** What an event says of a proof. */
export interface ShownProof {
  /** Absent where the peer's policy is `off`. Of the content, `valid` says nothing yet. */
  readonly proof?: 'valid' | 'invalid' | 'absent'
  /** Why it is invalid. */
  readonly proofReason?: ProofReason
}

const reasons: ReadonlySet<string> = new Set(proofReasons)

/** Whether a request was refused for the sake of its proof. */
export function isProofReason(reason: string): reason is ProofReason {
  return reasons.has(reason)
}

/** Of a proof for whose sake a request was refused. */
export function shownRefused(proofReason: ProofReason): ShownProof {
  return proofReason === 'proof-missing' ? { proof: 'absent' } : { proof: 'invalid', proofReason }
}

export const contentUnseen = {
  cause: 'content-unseen',
  advice:
    'a signed request came without a view of its content: mount the guard in front of any body parser, use guardedService for gRPC, and run a gate for forward authentication with --upstream or --body-unchecked',
} as const satisfies Failure

/** What was seen, under `observe`, of the content of a request with a valid head: it is another one, or there was no view. */
export type ObservedContent = Extract<ProofReason, 'proof-digest'> | (typeof contentUnseen)['cause']
