import { verify, type VerifyKeyObjectInput } from 'node:crypto'
import { asList, asObject, asText, isObject } from '../../core/json.js'
import { printable } from '../../core/text.js'
import { isSigned, signedTexts } from '../../core/card/signatures.js'
import type { CardJson } from '../../core/card/shapes.js'
import { parseShallowJson } from '../../core/shallow-json.js'
import { shortened } from '../wire/text.js'
import type { CardKey } from './card-keys.js'

/** What the signatures of a card show: that one verifies, or why none does. */
export type SignatureVerdict =
  | { readonly verified: true; readonly alg: string; readonly kid: string; readonly covers: Covers }
  | { readonly verified: false; readonly reasons: readonly string[] }

/** The form of the SDKs leaves out what is empty, and so which schemes a card demands. */
type Covers = 'everything' | 'no requirements'

interface Algorithm {
  readonly type: 'ec' | 'rsa' | 'ed25519'
  readonly curve?: string
  readonly hash: string | null
  readonly options?: Omit<VerifyKeyObjectInput, 'key'>
}

/** `RSA_PKCS1_PSS_PADDING` with `RSA_PSS_SALTLEN_DIGEST`: the bundle has functions of node:crypto, and no constants. */
const pss = { padding: 6, saltLength: -1 }
const raw = { dsaEncoding: 'ieee-p1363' } as const
const edwards: Algorithm = { type: 'ed25519', hash: null }

/** The signature algorithms of RFC 7518 §3.1, RFC 8037 and RFC 9864; no `none`, and no MAC, whose key anyone would have. */
const algorithms: Readonly<Record<string, Algorithm>> = {
  ES256: { type: 'ec', curve: 'prime256v1', hash: 'sha256', options: raw },
  ES384: { type: 'ec', curve: 'secp384r1', hash: 'sha384', options: raw },
  ES512: { type: 'ec', curve: 'secp521r1', hash: 'sha512', options: raw },
  RS256: { type: 'rsa', hash: 'sha256' },
  RS384: { type: 'rsa', hash: 'sha384' },
  RS512: { type: 'rsa', hash: 'sha512' },
  PS256: { type: 'rsa', hash: 'sha256', options: pss },
  PS384: { type: 'rsa', hash: 'sha384', options: pss },
  PS512: { type: 'rsa', hash: 'sha512', options: pss },
  EdDSA: edwards,
  Ed25519: edwards,
}

/** A card may have any number of signatures, and each is tried with several keys and texts. */
const mostSignatures = 10

/**
 * Verifies the signatures of a card (A2A 1.0 §8.4, RFC 7515) until one is good. Keys come from the caller alone: a `jku`
 * in the card would let the card vouch for itself.
 *
 * @returns undefined for a card without signatures
 */
export function verifyCard(card: CardJson, keys: readonly CardKey[]): SignatureVerdict | undefined {
  if (!isSigned(card)) return undefined
  const { signatures } = card
  if (!Array.isArray(signatures)) return { verified: false, reasons: ['signatures is not a list'] }
  const texts = textsOf(card)
  if (texts.length === 0) return { verified: false, reasons: ['the card has text that is not Unicode'] }
  const reasons: string[] = []
  for (const one of asList(signatures).slice(0, mostSignatures)) {
    const verdict = verifyOne(one, texts, keys)
    if (typeof verdict !== 'string') return verdict
    reasons.push(verdict)
  }
  return { verified: false, reasons: [...new Set(reasons)] }
}

interface Text {
  readonly payload: string
  readonly covers: Covers
}

function textsOf(card: CardJson): Text[] {
  try {
    const payloadOf = (text: string): string => Buffer.from(text).toString('base64url')
    const whole = signedTexts(card, false)
    return [
      ...whole.map((text) => ({ payload: payloadOf(text), covers: 'everything' as const })),
      ...signedTexts(card, true)
        .filter((text) => !whole.includes(text))
        .map((text) => ({ payload: payloadOf(text), covers: 'no requirements' as const })),
    ]
  } catch {
    return []
  }
}

/** Returns why a signature does not verify, or what it shows. */
function verifyOne(
  given: unknown,
  texts: readonly Text[],
  keys: readonly CardKey[],
): SignatureVerdict | string {
  const { protected: head, signature } = asObject(given)
  if (typeof head !== 'string' || typeof signature !== 'string' || !base64url.test(signature)) {
    return 'a signature lacks its protected header or its value'
  }
  const header = base64url.test(head)
    ? parseShallowJson(Buffer.from(head, 'base64url').toString())
    : undefined
  if (!isObject(header)) return 'the protected header of a signature is not base64url of a JSON object'
  if ('crit' in header) return 'a signature has critical header parameters (crit), which are not understood'
  const [alg, kid] = [asText(header['alg']), asText(header['kid'])]
  const algorithm = Object.hasOwn(algorithms, alg) ? algorithms[alg] : undefined
  if (algorithm === undefined) {
    return `the algorithm ${quoted(alg)} is refused; expected ES256, RS256, PS256, EdDSA or a longer one of these`
  }
  const named = keys.filter((key) => kid === '' || key.kid === kid || key.kid === '')
  if (named.length === 0) return `no key given has the kid ${quoted(kid)}`
  const fitting = named.filter((key) => fits(key, alg, algorithm))
  if (fitting.length === 0)
    return `no key given${kid === '' ? '' : ` for the kid ${quoted(kid)}`} is for ${alg}`
  const bytes = Buffer.from(signature, 'base64url')
  for (const { payload, covers } of texts) {
    const input = Buffer.from(`${head}.${payload}`)
    const good = fitting.some(({ key }) => isGood(algorithm, input, { key, ...algorithm.options }, bytes))
    if (good) return { verified: true, alg, kid, covers }
  }
  const by = kid === '' ? '' : ` of the key ${quoted(kid)}`
  return `the ${alg} signature${by} is not one over this card: the card was changed after it was signed, or by another key`
}

const base64url = /^[\w-]+={0,2}$/

function quoted(text: string): string {
  return text === '' ? '(none)' : `"${shortened(printable(text), 60)}"`
}

function fits({ key, alg: only }: CardKey, alg: string, { type, curve }: Algorithm): boolean {
  if (only !== '' && only !== alg && !(type === 'ed25519' && ['EdDSA', 'Ed25519'].includes(only)))
    return false
  return (
    key.asymmetricKeyType === type && (curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve)
  )
}

function isGood({ hash }: Algorithm, input: Buffer, key: VerifyKeyObjectInput, signature: Buffer): boolean {
  try {
    return verify(hash, input, key, signature)
  } catch {
    return false
  }
}
