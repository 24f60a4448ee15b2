import { TOTPError } from '../../core/errors.js'
import { componentsOf, signatureBase } from '../../core/proof/base.js'
import { digestOf } from '../../core/proof/digest.js'
import { serialiseString } from '../../core/proof/dictionary.js'
import type { ProofKey } from '../../core/proof/key.js'
import { proofLabel, proofTag, type SignedRequest } from '../../core/proof/profile.js'
import { signRequest } from '../../core/proof/sign.js'
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
export function proofFields(outgoing: Outgoing, proof: Proof): readonly FieldLine[] {
  const madeFor = proof.misfit?.madeFor
  const content = madeFor === 'another body' ? Buffer.concat([outgoing.content, space]) : outgoing.content
  const input = { ...proof, digest: digestOf(outgoing.binding, content) }
  try {
    const { fields } = signRequest(asSigned(outgoing, madeFor), input)
    const signed = { ...fields, ...rewritten(outgoing, proof, fields['content-digest']) }
    return [
      ['Content-Digest', signed['content-digest']],
      ['Signature-Input', signed['signature-input']],
      ['Signature', signed.signature],
    ]
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
    header: (name) => fields.flatMap(([other, value]) => (other.toLowerCase() === name ? [value] : [])),
  }
}

/** The two fields of a proof that no client writes: one that leaves a part uncovered, or names another key. */
function rewritten(
  outgoing: Outgoing,
  { key, keyid, header, created, expires, nonce, misfit }: Proof,
  digest: string,
): { readonly 'signature-input'?: string; readonly signature?: string } {
  const uncovered = misfit?.uncovered
  if (uncovered === undefined && keyid === undefined) return {}
  const request = asSigned({ ...outgoing, fields: [...outgoing.fields, ['content-digest', digest]] })
  const covered = componentsOf(request, { header }).filter((name) => name !== uncovered)
  const parameters =
    `(${covered.map(serialiseString).join(' ')});created=${created};expires=${expires}` +
    `;nonce="${Buffer.from(nonce).toString('base64url')}";keyid=${serialiseString(keyid ?? key.keyid)};tag="${proofTag}"`
  const mac = key.mac(signatureBase(request, covered, parameters))
  return {
    'signature-input': `${proofLabel}=${parameters}`,
    signature: `${proofLabel}=:${mac.toString('base64')}:`,
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
