import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
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
    this.keyid = `${agent}/${derive(seed, `kid ${agent}`, 6).toString('base64url')}`
    this.#key = createSecretKey(derive(seed, `mac ${agent}`, 32))
  }

  /** HMAC-SHA256 of a signature base, which is ASCII (RFC 9421 §3.3.3). */
  mac(base: string): Buffer {
    return createHmac('sha256', this.#key).update(base, 'latin1').digest()
  }
}

function derive(seed: Seed, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', seed.bytes, proofTag, info, length))
}
