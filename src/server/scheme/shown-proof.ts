import { proofReasons, type ProofReason } from '../../core/proof/profile.js'

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
