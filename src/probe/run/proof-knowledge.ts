import { readTotpExtension } from '../../core/card/extension.js'
import type { CardJson } from '../../core/card/shapes.js'
import { signedRule, type SignedPolicy } from '../../core/proof/profile.js'
import type { Misfit } from '../bindings/proving.js'

/** What is wrong with a proof, if it is to be refused for that. */
export interface Fault extends Misfit {
  readonly time?: FaultyTime
  /** Of another agent; or that, under the name of the right one. */
  readonly key?: 'of-another-agent' | 'renamed'
}

/** It expired long ago, is of a time to come, or lives for longer than a proof may. */
export type FaultyTime = 'past' | 'future' | 'long'

/** A proof that is said beforehand, so that the same request can be sent twice. */
export interface FixedProof {
  readonly nonce: Uint8Array
  readonly created: number
  readonly expires: number
}

/** How a request is signed. */
export type Signing =
  /** Rightly, whatever the policy; or not at all. */
  'right' | 'none' | { readonly fault?: Fault; readonly fixed?: FixedProof }

/** What a run knows of proofs, for its verdicts. */
export interface ProofKnowledge {
  /** The peer's policy as the probe was told, else what the agent advertises; undefined if neither is known. */
  readonly policy: SignedPolicy | undefined
  /** Whether the policy is only what the agent advertises. */
  readonly isAdvertised: boolean
  /** Whether requests can be signed: for that the agent's name is needed. */
  readonly canSign: boolean
}

/** The policy that a card advertises, if it is one. */
export function policyOf(card: CardJson): SignedPolicy | undefined {
  const policy = readTotpExtension(card)?.signed?.policy
  return signedRule.allows(policy) ? policy : undefined
}
