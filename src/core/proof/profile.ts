import { oneOf, parseWord } from '../words.js'

/** What makes a member of `Signature-Input` ours, whatever its label. It carries the version of the profile. */
export const proofTag = 'a2a-totp/proof/v1'

/** The label of the members that are written here. A proxy may rename it (RFC 9421 §7.2.5). */
export const proofLabel = 'a2a-totp'

/** The only algorithm of the profile (RFC 9421 §3.3.3). */
export const proofAlgorithm = 'hmac-sha256'

/**
 * What an agent does with the proofs of a peer. `off`: ignores them. `observe`: decides as if there were none, and reports
 * what they are worth. `accept`: a proof that is there must be valid, and is good for one request. `require`: no request
 * without a valid proof.
 */
export const signedPolicies = ['off', 'observe', 'accept', 'require'] as const
export type SignedPolicy = (typeof signedPolicies)[number]

export const signedRule = oneOf(signedPolicies)

/** @throws {TOTPError} `ERR_CONFIG_INVALID` for any other value, for callers without a type checker */
export const parseSigned = (policy: unknown): SignedPolicy => parseWord('signed', signedRule, policy)

/** Returns whether proofs change what is decided under a policy: then a server must know them. */
export function usesProofs(policy: SignedPolicy): boolean {
  return policy === 'accept' || policy === 'require'
}

/**
 * Why a proof is refused, in the order in which the reasons are looked for. `proof-digest` comes twice: the digest is
 * absent or unreadable, or, at the end, the content is another one.
 */
export const proofReasons = [
  'proof-missing',
  'proof-malformed',
  'proof-uncovered',
  'proof-digest',
  'proof-key',
  'proof-mac',
  'proof-stale',
  'proof-replayed',
] as const
export type ProofReason = (typeof proofReasons)[number]

/** How a request came, which decides what its proof covers. */
export type Binding = 'http' | 'grpc'

/** The request that a proof is bound to, as it is sent or as it arrived. */
export interface SignedRequest {
  readonly binding: Binding
  /** Of HTTP; `POST` for gRPC. */
  readonly method: string
  /** The origin-form: the path, and the query if there is one. For gRPC `/pkg.Service/Method`. */
  readonly target: string
  /** Returns all field lines of that name, in order. The name is in lower case. */
  header(name: string): readonly string[]
}

/** What agent and peer agree on beside the seed. */
export interface ProofRules {
  /** The agent's name: a proof for one agent is none for another. */
  readonly agent: string
  /** The field that carries the code, in lower case. */
  readonly header: string
  /** In seconds. */
  readonly period: number
  /** In time steps. */
  readonly window: number
  /**
   * How long a proof of the peer may live where that is shorter, in seconds. What lives longer is read and verified all the
   * same, so that the time does not tell the peer, and then refused as malformed.
   */
  readonly ownLife?: number
}

/** How long a proof may live, and how far ahead its clock may be, in seconds. */
export function longestLife({ period, window }: Pick<ProofRules, 'period' | 'window'>): number {
  return (window + 1) * period
}

/** Why a proof is refused, if it is for that reason: a life beyond the peer's own comes before all that is read after it. */
export function reasonFor(
  { created, expires }: Pick<ParsedProof, 'created' | 'expires'>,
  { ownLife = Infinity }: Pick<ProofRules, 'ownLife'>,
  reason: ProofReason,
): ProofReason {
  return expires - created > ownLife ? 'proof-malformed' : reason
}

/** A proof that has the form of the profile, not verified yet. */
export interface ParsedProof {
  readonly keyid: string
  /** In unix seconds. */
  readonly created: number
  readonly expires: number
  /** As written. It is what is spent. */
  readonly nonce: string
  /** Of the content. */
  readonly digest: Buffer
  /** What was signed. */
  readonly base: string
  readonly signature: Buffer
}
