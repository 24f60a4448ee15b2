import type { ProofKey } from '../../core/proof/key.js'
import { mayBeSigned } from '../../core/proof/parse.js'
import {
  longestLife,
  usesProofs,
  type ParsedProof,
  type ProofReason,
  type SignedPolicy,
  type SignedRequest,
} from '../../core/proof/profile.js'
import { verifyHead } from '../../core/proof/verify.js'
import { isLive } from '../../core/roster.js'
import type { SchemePeer, SchemeSeed } from './peers.js'
import type { ProofKeys } from './proof-keys.js'
import type { AuthRequest } from './request.js'

/** What the head of a request shows of its proof. */
export type CheckedProof =
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly reason: ProofReason }
  | { readonly kind: 'valid'; readonly proof: ParsedProof; readonly seed: SchemeSeed }

export interface ProofCheckOptions {
  readonly agent: string
  readonly codeField: string
  readonly pathPrefix: string
  /** Of the peers whose proofs are looked at, in seconds. */
  readonly longestPeriod: number
  /** Takes the place of a peer for unknown tokens, and of a key that is not known. */
  readonly decoy: SchemePeer
}

/**
 * Checks the proofs of requests. Where any peer's proofs are looked at, those of all requests are, whatever the peer's
 * policy and whether the token is known: otherwise the time would tell which tokens are live, and an invalid proof costs
 * a thief no guess.
 */
export class ProofCheck {
  readonly keys: ProofKeys
  readonly #options: ProofCheckOptions
  readonly #decoyKey: ProofKey

  constructor(options: ProofCheckOptions, keys: ProofKeys) {
    this.#options = options
    this.keys = keys
    const [seed] = options.decoy.seeds
    if (!seed) throw new TypeError('the decoy has no seed')
    this.#decoyKey = keys.of(seed)
  }

  /** Never throws, whatever is in the request. */
  check(request: AuthRequest, peer: SchemePeer | undefined, at: Date): CheckedProof {
    const { agent, codeField: header, decoy, longestPeriod } = this.#options
    const signed = this.#signedRequestOf(request)
    try {
      // Most requests, as long as clients do not sign.
      if (!mayBeSigned(signed)) return { kind: 'absent' }
      // Under `off` nobody asks what a proof is worth, so those peers have no keys.
      const { seeds, profile } = peer && peer.signed !== 'off' ? peer : decoy
      const { window } = profile
      const live = seeds.filter((seed) => isLive(seed, at))
      const keys = live.map((seed) => this.keys.of(seed))
      // The longest one for everybody, so that no more is read for one token than for another; then the peer's own.
      const rules = { agent, header, period: longestPeriod, window, ownLife: longestLife(profile) }
      const head = verifyHead(signed, rules, keys, this.#decoyKey, at)
      if (head.verdict === 'unsigned') return { kind: 'absent' }
      if (head.verdict === 'refused') return { kind: 'invalid', reason: head.reason }
      const seed = live.find(({ proofKey }) => proofKey === head.key)
      return seed ? { kind: 'valid', proof: head.proof, seed } : { kind: 'invalid', reason: 'proof-key' }
    } catch {
      return { kind: 'invalid', reason: 'proof-malformed' }
    }
  }

  #signedRequestOf(request: AuthRequest): SignedRequest {
    const { binding, method, target } = request
    return {
      binding,
      method,
      target: binding === 'http' ? this.#options.pathPrefix + target : target,
      header: (name) => request.header(name),
    }
  }
}

/** Why a policy refuses a request because of its proof, before the code is looked at; undefined if it does not. */
export function refusedProof(policy: SignedPolicy, proof: CheckedProof | undefined): ProofReason | undefined {
  if (!usesProofs(policy)) return undefined
  if (proof?.kind === 'invalid') return proof.reason
  return policy === 'require' && proof?.kind !== 'valid' ? 'proof-missing' : undefined
}

/** The proof that a request is let in with: only where the policy says that proofs matter. */
export function usedProof(
  policy: SignedPolicy,
  proof: CheckedProof | undefined,
): Extract<CheckedProof, { kind: 'valid' }> | undefined {
  return usesProofs(policy) && proof?.kind === 'valid' ? proof : undefined
}

/**
 * The peer whose codes are compared: none where a proof is refused already, since then the code is not looked at; and with
 * a proof that is used, only its own seed counts.
 */
export function comparedPeer(peer: SchemePeer, proof: CheckedProof | undefined): SchemePeer | undefined {
  if (refusedProof(peer.signed, proof) !== undefined) return undefined
  const used = usedProof(peer.signed, proof)
  return used ? { ...peer, seeds: [used.seed] } : peer
}
