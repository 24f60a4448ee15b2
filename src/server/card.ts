/** Signs agent cards (A2A 1.0 §8.4). Needs jose. */
import { FlattenedSign, type CryptoKey, type JWK, type KeyObject } from 'jose'
import type { CardJson } from '../core/card/shapes.js'
import { isSigned, signedTexts, withoutSignatures } from '../core/card/signatures.js'
import { TOTPError } from '../core/errors.js'
import { asList, asObject, asText } from '../core/json.js'
import { isLoopback } from '../core/url.js'

export { withTotpSecurity, type TOTPSecurityOptions } from '../core/card/security.js'
export type { CardJson } from '../core/card/shapes.js'

export interface SignCardOptions {
  /** The id by which verifiers find the public key; by default that of a JWK. */
  readonly kid?: string
  /** The algorithm, for example `ES256` or `EdDSA`; by default that of a JWK. */
  readonly alg?: string
  /** Where the public key is published, as a JWK set. */
  readonly jku?: string | URL
  /** Keeps the card's signatures and adds to them, for a second key. The card must not have changed since. */
  readonly add?: boolean
  /** Signs no form that leaves out what the card demands. The SDKs of A2A then cannot verify the card. */
  readonly strict?: boolean
}

/**
 * Signs an agent card (JWS over the canonical card, A2A 1.0 §8.4) and returns it with `signatures`, as plain JSON.
 *
 * Signatures that the card had are replaced. Implementations disagree about the canonical form of a card, and one valid
 * signature is enough: there is a signature for each form, at most three. They are made over the card as it is, over the
 * form of §8.4.1, and over that of the Python and JavaScript SDKs; the last one does not cover which security schemes
 * are demanded, because these SDKs do not (see `strict`). A card of A2A 0.3 is signed as it is.
 *
 * Sign last: every later change makes the signatures invalid.
 *
 * @param card a card as JSON, or a card of `totpAgentCard`
 * @param key the private key
 * @throws {TOTPError} `ERR_CONFIG_INVALID` without `kid` or `alg`, for a symmetric algorithm, and for a key that does not
 *   fit the algorithm; `ERR_INSECURE_TRANSPORT` for a `jku` over plain http beyond loopback; `ERR_CARD_INVALID` for a
 *   card with text that is not Unicode.
 */
export async function signCard(
  card: object,
  key: CryptoKey | KeyObject | JWK,
  options: SignCardOptions = {},
): Promise<CardJson> {
  const header = protectedHeader(key, options)
  const json = JSON.parse(JSON.stringify(card)) as CardJson
  const texts = signedTexts(json, options.strict !== true)
  const made = await Promise.all(texts.map((text) => signText(text, key, header)))
  const kept = options.add && isSigned(json) ? asList(json['signatures']) : []
  return { ...withoutSignatures(json), signatures: [...kept, ...made] }
}

interface ProtectedHeader {
  readonly alg: string
  readonly typ: 'JOSE'
  readonly kid: string
  readonly jku?: string
}

function protectedHeader(
  key: CryptoKey | KeyObject | JWK,
  { jku, ...options }: SignCardOptions,
): ProtectedHeader {
  const jwk = asObject(key)
  const kid = options.kid ?? asText(jwk['kid'])
  const alg = options.alg ?? asText(jwk['alg'])
  if (kid === '') throw invalid('needs kid, the id of the key')
  if (alg === '') throw invalid('needs alg, the algorithm of the key, for example ES256')
  if (alg.startsWith('HS'))
    throw invalid('the key is published to verifiers, so it cannot be symmetric; use ES256')
  return { alg, typ: 'JOSE', kid, ...(jku !== undefined && { jku: publishedAt(jku) }) }
}

function publishedAt(jku: string | URL): string {
  if (!URL.canParse(String(jku))) throw invalid('jku is not a URL')
  const url = new URL(jku)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))) return url.href
  throw new TOTPError(
    'ERR_INSECURE_TRANSPORT',
    'signCard: jku must be https: an attacker who can change the keys in transit can sign cards',
  )
}

async function signText(
  text: string,
  key: CryptoKey | KeyObject | JWK,
  header: ProtectedHeader,
): Promise<object> {
  try {
    const jws = await new FlattenedSign(new TextEncoder().encode(text))
      .setProtectedHeader({ ...header })
      .sign(key)
    return { protected: jws.protected, signature: jws.signature }
  } catch (cause) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `signCard: the key cannot sign with ${header.alg}; pass the private key, and its algorithm as alg`,
      { cause },
    )
  }
}

function invalid(words: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `signCard: ${words}`)
}
