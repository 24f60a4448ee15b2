import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { TOTPError } from '../../core/errors.js'
import { asList, asText, isObject, type JsonObject } from '../../core/json.js'

/** A public key that may verify signatures of cards. */
export interface CardKey {
  readonly key: KeyObject
  /** Empty if the key has none. */
  readonly kid: string
  /** The one algorithm that the key is for; empty if it does not say. */
  readonly alg: string
}

/** Shorter RSA keys must not be used for signatures (RFC 7518 §3.3). */
const shortestRsa = 2048

/**
 * Reads a JSON Web Key Set (RFC 7517), a list of keys or one key. Keys that cannot verify a signature are passed over:
 * others may be in a set for other purposes.
 *
 * @throws {TOTPError} `ERR_USAGE` if none is left.
 */
export function parseCardKeys(given: unknown): readonly CardKey[] {
  const all = isObject(given) && 'keys' in given ? given['keys'] : Array.isArray(given) ? given : [given]
  const keys = asList(all).flatMap((one) => (isObject(one) ? toKey(one) : []))
  if (keys.length > 0) return keys
  throw new TOTPError(
    'ERR_USAGE',
    'no key to verify a card with; expected a JSON Web Key Set with a public RSA (2048 bits or more), EC or Ed25519 key',
  )
}

function toKey(jwk: JsonObject): CardKey[] {
  const { use, key_ops: operations, kid, alg } = jwk
  if (use !== undefined && use !== 'sig') return []
  // A private key is there to sign, and its public half verifies what it signed.
  if (operations !== undefined && !asList(operations).some((one) => one === 'verify' || one === 'sign'))
    return []
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const bits = key.asymmetricKeyDetails?.modulusLength
    return bits !== undefined && bits < shortestRsa ? [] : [{ key, kid: asText(kid), alg: asText(alg) }]
  } catch {
    return []
  }
}
