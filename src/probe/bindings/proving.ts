import { TOTPError } from '../../core/errors.js'
import { componentsOf } from '../../core/proof/base.js'
import { digestOf } from '../../core/proof/digest.js'
import type { ProofKey } from '../../core/proof/key.js'
import type { SignedRequest } from '../../core/proof/profile.js'
import { linesOfProof, valuesOf } from '../../core/proof/proof-fields.js'
import { signRequest, writeProof } from '../../core/proof/sign.js'
import type { FieldLine } from '../wire/raw-answer.js'

/** What is wrong with how a proof fits its request: it was made for another one, or does not cover a part of it. */
export interface Misfit {
  readonly madeFor?: 'another body' | 'another path' | 'another query' | 'another method'
  readonly uncovered?: '@method' | '@path' | '@query' | 'content-type' | 'a2a-version'
}

/** A proof to be: everything but the request. */
export interface Proof {
  readonly key: ProofKey
  /** Written in place of the key's own id. */
  readonly keyid?: string
  /** The field that carries the code, in lower case. */
  readonly header: string
  /** In unix seconds. */
  readonly created: number
  readonly expires: number
  readonly nonce: Uint8Array
  readonly misfit?: Misfit
}

/** A request as it is about to be sent. */
export interface Outgoing extends Pick<SignedRequest, 'binding' | 'method' | 'target'> {
  readonly fields: readonly FieldLine[]
  /** The body, or the message of gRPC without its prefix. */
  readonly content: Uint8Array
}

/**
 * Returns the field lines that prove a request. None where it cannot be signed, because a field that has to be covered is
 * no printable ASCII.
 */
export function proofLines(outgoing: Outgoing, proof: Proof): readonly FieldLine[] {
  const { madeFor, uncovered } = proof.misfit ?? {}
  const content = madeFor === 'another body' ? Buffer.concat([outgoing.content, space]) : outgoing.content
  const input = { ...proof, digest: digestOf(outgoing.binding, content) }
  const request = asSigned(outgoing, madeFor)
  try {
    const right = signRequest(request, input)
    if (uncovered === undefined && proof.keyid === undefined) return linesOfProof(right.fields)
    // No client writes a proof that leaves a part uncovered, or names another key.
    const key = { keyid: proof.keyid ?? proof.key.keyid, mac: (base: string) => proof.key.mac(base) }
    const covered = componentsOf(request, proof).filter((name) => name !== uncovered)
    return linesOfProof(writeProof(request, covered, { ...input, key }).fields)
  } catch (error) {
    if (error instanceof TOTPError && error.code === 'ERR_CANNOT_SIGN') return []
    throw error
  }
}

const space = Buffer.from(' ')

/** The request that a proof is made for. */
function asSigned({ binding, method, target, fields }: Outgoing, madeFor?: Misfit['madeFor']): SignedRequest {
  const [path = '', query] = target.split('?')
  return {
    binding,
    method: madeFor === 'another method' ? 'PUT' : method,
    target:
      madeFor === 'another path'
        ? target.replace(path, `${path}/other`)
        : madeFor === 'another query'
          ? `${path}?${query ?? ''}&other=1`
          : target,
    header: (name) => valuesOf(fields, name),
  }
}

/** The version field to send where a proof is to leave it uncovered, and the request has none: 0.3 needs none. */
export function uncoveredFields(
  { misfit }: Proof,
  version: string,
  fields: readonly FieldLine[],
): FieldLine[] {
  const isMissing = !fields.some(([name]) => name.toLowerCase() === 'a2a-version')
  return misfit?.uncovered === 'a2a-version' && isMissing ? [['A2A-Version', version]] : []
}
