import { createPublicKey } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { isObject } from '../../core/json.js'

/** jose verifies no signature of a shorter RSA key (RFC 7518 §3.3). */
const leastRSABits = 2048

/**
 * What is wrong with a key that was configured, in words; undefined if nothing is. Found at the start, because with such
 * a key every token would be refused.
 */
export function faultOfKey(key: unknown): string | undefined {
  if (key instanceof Uint8Array) return key.length > 0 ? undefined : 'key is empty'
  if (!isObject(key)) return 'key must be a CryptoKey, a KeyObject, a JWK, bytes, or a function that finds it'
  return typeof key['kty'] === 'string' ? faultOfJWK(key) : faultOfKeyObject(key)
}

function faultOfJWK(jwk: Readonly<Record<string, unknown>>): string | undefined {
  if (jwk['kty'] === 'oct') return jwk['k'] ? undefined : 'key is a JWK without k'
  if ('d' in jwk || 'priv' in jwk) return isPrivate
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig')
    return 'key is for encryption; pass one for signatures'
  if (!['EC', 'OKP', 'RSA'].includes(String(jwk['kty']))) return undefined
  try {
    return faultOfKeyObject(createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }))
  } catch {
    return 'key is not a valid JWK'
  }
}

const isPrivate = 'key is private; pass the public one'

function faultOfKeyObject(key: object): string | undefined {
  const { type, algorithm, asymmetricKeyDetails } = key as {
    readonly type?: unknown
    readonly algorithm?: { readonly modulusLength?: number }
    readonly asymmetricKeyDetails?: { readonly modulusLength?: number }
  }
  if (type === 'private') return isPrivate
  if (type !== 'public' && type !== 'secret') return 'key must be a CryptoKey, a KeyObject, a JWK, or bytes'
  const { modulusLength = leastRSABits } = algorithm ?? asymmetricKeyDetails ?? {}
  return modulusLength < leastRSABits ? `key is too short; RSA needs ${leastRSABits} bits` : undefined
}
