import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Seed } from '../seed.js'
import { proofTag } from './profile.js'

/**
 * The key of the proofs of one seed for one agent. Independent of the codes and of other agents' keys: HKDF-SHA256 (RFC
 * 5869) of the seed with the salt `a2a-totp/proof/v1`. It does not print.
 */
export class ProofKey {
  /** Names the key: the agent's name, a slash and eight characters of base64url. Not secret. */
  readonly keyid: string
  readonly #key: KeyObject

  constructor(seed: Seed, agent: string) {
    const prk = extract(seed)
    this.keyid = `${agent}/${expand(prk, `kid ${agent}`, 6).toString('base64url')}`
    this.#key = createSecretKey(expand(prk, `mac ${agent}`, 32))
  }

  /** HMAC-SHA256 of a signature base, which is ASCII (RFC 9421 §3.3.3). */
  mac(base: string): Buffer {
    return createHmac('sha256', this.#key).update(base, 'latin1').digest()
  }
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
