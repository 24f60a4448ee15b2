import { createHash, hkdfSync } from 'node:crypto'
import type { Algorithm, CodeProfile } from './profile.js'
import { Seed } from './seed.js'

/** The block of each hash in bytes: HMAC hashes a longer key first (RFC 2104 §2). */
const blockBytes: Readonly<Record<Algorithm, number>> = { SHA1: 64, SHA256: 64, SHA512: 128 }

/**
 * The key of a seed as HMAC uses it: a key longer than a block is hashed, and trailing zero bytes are cut, since HMAC
 * pads with zeros. Two seeds make the same codes exactly if these are equal (RFC 2104 §2). Secret.
 *
 * @returns a text to compare with others of its kind, and nothing else
 */
export function hmacKeyOf(seed: Seed, algorithm: Algorithm): string {
  const isLong = seed.bits > blockBytes[algorithm] * 8
  const key = isLong ? Seed.fromBytes(createHash(algorithm).update(seed.bytes).digest()) : seed
  // Canonical base32 fills up with zero bits, so equal bytes before the zeros are equal characters before the As.
  return key.base32.replace(/A+$/, '')
}

/** What tells one seed from another. Of a seed longer than a block, the key that HMAC makes is another seed with the same codes. Secret. */
export function seedKeysOf(seed: Seed, algorithm: Algorithm): ReadonlySet<string> {
  return new Set([seed.base32.replace(/A+$/, ''), hmacKeyOf(seed, algorithm)])
}

/**
 * Names a seed in a state without revealing it: what is claimed and counted belongs to the key as HMAC uses it and to
 * the period, whatever id, peer or agent the seed is listed under.
 *
 * @returns 22 characters of base64url: HKDF-SHA256 (RFC 5869) of the key, its trailing zero bytes cut, with the salt
 *   `a2a-totp/proof/v1` and the info `claim ` and the period in seconds
 */
export function seedDigestOf(
  seed: Seed,
  { algorithm, period }: Pick<CodeProfile, 'algorithm' | 'period'>,
): string {
  const key = bytesOf(hmacKeyOf(seed, algorithm))
  return Buffer.from(hkdfSync('sha256', key, 'a2a-totp/proof/v1', `claim ${period}`, 16)).toString(
    'base64url',
  )
}

/** The bytes of a text of {@link hmacKeyOf}, without zeros at the end. */
function bytesOf(base32: string): Uint8Array {
  if (base32 === '') return new Uint8Array()
  // Filled up to whole groups of eight characters, which is a legal length again.
  const bytes = Seed.fromBase32(base32.padEnd(Math.ceil(base32.length / 8) * 8, 'A')).bytes
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1
  return bytes.subarray(0, end)
}
