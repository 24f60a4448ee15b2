import type { ProofReason } from '../../core/proof/profile.js'
import type { AuthOutcome } from './outcome.js'
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

/** Says what becomes of the content once it was decided, unless it is being compared already. */
export function seeContent(
  { body }: AuthRequest,
  { caller }: AuthOutcome,
  proof: CheckedProof | undefined,
  mismatch: () => void,
): void {
  if (!body || caller?.proof === 'signed') return
  if (caller && proof?.kind === 'valid' && body.observeDigest) {
    body.observeDigest('sha-256', proof.proof.digest, mismatch)
  } else body.ignoreDigest?.()
}
