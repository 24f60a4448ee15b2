import { proofReasons, type ProofReason } from '../../core/proof/profile.js'
import type { SchemePeer } from './peers.js'
import type { CheckedProof } from './proofs.js'
import type { AuthRequest } from './request.js'

/** What an event says of a proof. */
export interface ShownProof {
  /** Absent where the peer's policy is `off`. Of the content, `valid` says nothing yet. */
  readonly proof?: 'valid' | 'invalid' | 'absent'
  /** Why it is invalid. */
  readonly proofReason?: ProofReason
}

export function shownOf(peer: SchemePeer | undefined, proof: CheckedProof | undefined): ShownProof {
  if (!peer || peer.signed === 'off' || !proof) return {}
  return { proof: proof.kind, ...(proof.kind === 'invalid' && { proofReason: proof.reason }) }
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

/**
 * Tells the content's view what is not compared with a proof that is used: under `observe` it is compared all the same, and
 * otherwise it need not be hashed.
 *
 * @param proof of a request that was let in; undefined if it was refused
 * @param mismatch called when the content turns out to be another one
 */
export function observeContent(
  { body }: AuthRequest,
  proof: CheckedProof | undefined,
  mismatch: () => void,
): void {
  if (proof?.kind === 'valid' && body?.observeDigest) {
    body.observeDigest('sha-256', proof.proof.digest, mismatch)
  } else body?.ignoreDigest?.()
}
