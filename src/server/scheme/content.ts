import type { CheckedProof } from './proofs.js'
import type { AuthRequest } from './request.js'

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
  if (typeof body === 'string') return
  if (proof?.kind === 'valid' && body?.observeDigest) {
    body.observeDigest('sha-256', proof.proof.digest, mismatch)
  } else body?.ignoreDigest?.()
}
