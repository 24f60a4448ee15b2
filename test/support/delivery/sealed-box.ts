import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'

/** The pair of keys that a repository of GitHub has for its secrets. */
export class SealedBoxKeys {
  readonly #secretKey = x25519.utils.randomSecretKey()
  readonly publicKey = x25519.getPublicKey(this.#secretKey)

  /** Opens what libsodium's `crypto_box_seal` sealed for the public key. */
  open(sealed: Uint8Array): string {
    const theirs = sealed.subarray(0, 32)
    const nonce = blake2b(Buffer.concat([theirs, this.publicKey]), { dkLen: 24 })
    const shared = words(x25519.getSharedSecret(this.#secretKey, theirs))
    const key = new Uint32Array(8)
    hsalsa(words(Buffer.from('expand 32-byte k')), shared, new Uint32Array(4), key)
    const opened = xsalsa20poly1305(new Uint8Array(key.buffer), nonce).decrypt(sealed.subarray(32))
    return Buffer.from(opened).toString()
  }
}

const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(Uint8Array.from(bytes).buffer)
