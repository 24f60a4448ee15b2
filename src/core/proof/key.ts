import { createHmac, hash } from 'node:crypto'
import type { Seed } from '../seed.js'
import { proofTag } from './profile.js'

/**
 * The key of the proofs of one seed for one agent. Independent of the codes and of other agents' keys: HKDF-SHA256 (RFC
 * 5869) of the seed with the salt `a2a-totp/proof/v1`. It does not print.
 */
export class ProofKey {
  /** Names the key: the agent's name, a slash and eight characters of base64url. Not secret. */
  readonly keyid: string
  /** The key as HMAC pads it (RFC 2104 §2). */
  readonly #inner: Buffer
  readonly #outer: Buffer

  constructor(seed: Seed, agent: string) {
    const prk = extract(seed)
    this.keyid = `${agent}/${expand(prk, `kid ${agent}`, 6).toString('base64url')}`
    const key = expand(prk, `mac ${agent}`, 32)
    this.#inner = padded(key, 0x36)
    this.#outer = padded(key, 0x5c)
  }

  /**
   * HMAC-SHA256 of a signature base, which is ASCII (RFC 9421 §3.3.3). As two hashes in one call each: an object of
   * OpenSSL's for each request would cost a server more in garbage than the hashing itself.
   */
  mac(base: string): Buffer {
    const inner = hash('sha256', Buffer.concat([this.#inner, Buffer.from(base, 'latin1')]), 'buffer')
    return hash('sha256', Buffer.concat([this.#outer, inner]), 'buffer')
  }
}

/** A key that is not longer than a block of SHA-256, filled up with zeros to one, each byte combined with the pad. */
function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(64, pad)
  for (const [place, byte] of key.entries()) block[place] = byte ^ pad
  return block
}

/**
 * HKDF-Extract (RFC 5869 §2.2). By hand, because `hkdfSync` does it for each output, and costs several times as much as the
 * two HMACs of one output.
 */
function extract(seed: Seed): Buffer {
  return createHmac('sha256', proofTag).update(seed.bytes).digest()
}

/** HKDF-Expand (RFC 5869 §2.3) to at most 32 bytes, which is the first block. */
function expand(prk: Buffer, info: string, length: number): Buffer {
  return createHmac('sha256', prk).update(`${info}\x01`).digest().subarray(0, length)
}
