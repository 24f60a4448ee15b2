import { timingSafeEqual } from 'node:crypto'
import type { ProofKey } from './key.js'
import { readProof } from './parse.js'
import {
  longestLife,
  reasonFor,
  type ParsedProof,
  type ProofReason,
  type ProofRules,
  type SignedRequest,
} from './profile.js'

/** What the head of a request proves; its content and its nonce are still to be compared. */
export type HeadVerdict<K extends ProofKey = ProofKey> =
  | { readonly verdict: 'unsigned' }
  | { readonly verdict: 'refused'; readonly reason: ProofReason; readonly keyid?: string }
  | { readonly verdict: 'valid'; readonly proof: ParsedProof; readonly key: K }

/**
 * Verifies everything about a proof that the head of the request shows: form, coverage, key, MAC and time. Computes one
 * MAC, whatever the key id, so that the time does not tell whether a key is known.
 *
 * @param keys of the live seeds
 * @param decoy takes the place of a key that is not known
 */
export function verifyHead<K extends ProofKey>(
  request: SignedRequest,
  rules: ProofRules,
  keys: readonly K[],
  decoy: ProofKey,
  at: Date,
): HeadVerdict<K> {
  const read = readProof(request, rules)
  if (read.kind === 'unsigned') return { verdict: 'unsigned' }
  if (read.kind === 'refused') return { verdict: 'refused', reason: read.reason }
  const { proof } = read
  const { keyid } = proof
  const refused = (reason: ProofReason): HeadVerdict<K> => ({
    verdict: 'refused',
    reason: reasonFor(proof, rules, reason),
    keyid,
  })

  const named = keys.filter((key) => key.keyid === keyid)
  const candidates: readonly ProofKey[] = named.length > 0 ? named : [decoy]
  const matches = candidates.filter((key) => timingSafeEqual(key.mac(proof.base), proof.signature))
  const key = named.find((one) => matches.includes(one))
  if (named.length === 0) return refused('proof-key')
  if (!key) return refused('proof-mac')

  const now = Math.floor(at.getTime() / 1000)
  const { created, expires } = proof
  const life = rules.ownLife ?? longestLife(rules)
  // Written so that an invalid date is refused.
  const inTime = expires - created <= life && created <= now + life && now <= expires
  return inTime ? { verdict: 'valid', proof, key } : refused('proof-stale')
}
