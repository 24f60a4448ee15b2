import type { CheckedProof } from './proofs.js'
import type { AuthRequest } from './request.js'
import { contentUnseen, type ObservedContent } from './shown-proof.js'

/**
 * Tells the content's view what is not compared with a proof that is used: under `observe` it is compared all the same, and
 * otherwise it need not be hashed.
 *
 * @param proof of a request that was let in; undefined if it was refused
 * @param report called if the content turns out to be another one, or was read by something else before
 */
export function observeContent(
  { body }: AuthRequest,
  proof: CheckedProof | undefined,
  report: (seen: ObservedContent) => void,
): void {
  if (body === 'unseen' && proof?.kind === 'valid') report(contentUnseen.cause)
  if (typeof body === 'string') return
  if (proof?.kind === 'valid' && body?.observeDigest) {
    body.observeDigest('sha-256', proof.proof.digest, () => report('proof-digest'))
  } else body?.ignoreDigest?.()
}
