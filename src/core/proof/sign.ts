import { TOTPError } from '../errors.js'
import { baseOf, isPlainValue, presentComponents, signatureBase, type Component } from './base.js'
import { formatContentDigest } from './digest.js'
import { serialiseString } from './dictionary.js'
import { hasField, linesOf } from './fields.js'
import type { ProofKey } from './key.js'
import type { ProofFields } from './proof-fields.js'
import { proofLabel, proofTag, type ProofRules, type SignedRequest } from './profile.js'

/** What a proof is made of beside the request. */
export interface ProofInput {
  readonly key: Pick<ProofKey, 'keyid' | 'mac'>
  /** The field that carries the code. */
  readonly header: string
  /** Of the content, see `digestOf`. */
  readonly digest: Uint8Array
  /** In unix seconds. */
  readonly created: number
  /** In unix seconds; later than `created`. */
  readonly expires: number
  /** 16 to 48 bytes that no other proof of the seed has. */
  readonly nonce: Uint8Array
}

/** The three fields of a proof, and the signature base for those who compare. */
export interface SignedFields {
  readonly fields: ProofFields
  readonly base: string
}

/**
 * Signs a request (RFC 9421, profile `a2a-totp/proof/v1`). The request has its token and its code; a Content-Digest that it
 * has is ignored.
 *
 * @throws {TOTPError} `ERR_CANNOT_SIGN` if what has to be covered is no printable ASCII, or the request has a
 *   Content-Encoding
 */
export function signRequest(request: SignedRequest, input: ProofInput): SignedFields {
  const header = input.header.toLowerCase()
  const components = signableComponents(withDigestOf(request, input), header)
  const names = components.map(({ name }) => name)
  return writeFields(names, (parameters) => baseOf(components, parameters), input)
}

/**
 * Writes a proof that covers these components, whether or not they are those of the profile. Checks nothing: agents are
 * tested with proofs that they have to refuse. For all others there is {@link signRequest}.
 */
export function writeProof(
  request: SignedRequest,
  components: readonly string[],
  input: Omit<ProofInput, 'header'>,
): SignedFields {
  const withDigest = withDigestOf(request, input)
  return writeFields(components, (parameters) => signatureBase(withDigest, components, parameters), input)
}

function writeFields(
  components: readonly string[],
  baseWith: (parameters: string) => string,
  { key, created, expires, digest, nonce: bytes }: Omit<ProofInput, 'header'>,
): SignedFields {
  const nonce = Buffer.from(bytes).toString('base64url')
  const parameters =
    `(${components.map(serialiseString).join(' ')});created=${created};expires=${expires}` +
    `;nonce="${nonce}";keyid=${serialiseString(key.keyid)};tag="${proofTag}"`
  const base = baseWith(parameters)
  return {
    fields: {
      'content-digest': formatContentDigest(digest),
      'signature-input': `${proofLabel}=${parameters}`,
      signature: `${proofLabel}=:${key.mac(base).toString('base64')}:`,
    },
    base,
  }
}

function withDigestOf(request: SignedRequest, { digest }: Pick<ProofInput, 'digest'>): SignedRequest {
  const { binding, method, target } = request
  const line = formatContentDigest(digest)
  return {
    binding,
    method,
    target,
    header: (name) => (name === 'content-digest' ? [line] : linesOf(request, name)),
  }
}

/**
 * Checks what a signature would cover. The code and the digest may still be missing.
 *
 * @param header the field that carries the code, in lower case
 * @throws {TOTPError} `ERR_CANNOT_SIGN` as {@link signRequest}
 */
export function requireSignable(request: SignedRequest, header: ProofRules['header']): void {
  signableComponents(request, header)
}

/** What is covered, in order. Each field is read once. */
function signableComponents(request: SignedRequest, header: ProofRules['header']): Component[] {
  if (hasField(request, 'content-encoding')) {
    throw new TOTPError(
      'ERR_CANNOT_SIGN',
      'a request with a Content-Encoding cannot be signed; send the body as it is',
    )
  }
  const components = presentComponents(request, { header })
  const odd = components.find(({ value }) => !isPlainValue(value))
  if (!odd) return components
  throw new TOTPError(
    'ERR_CANNOT_SIGN',
    `the request cannot be signed: its ${odd.name} has characters other than printable ASCII; encode them`,
  )
}
