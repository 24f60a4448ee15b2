import { Secret } from 'otpauth'
import { TOTPError } from './errors.js'
import type { Algorithm } from './profile.js'
import type { RandomBytes } from './random.js'

/** RFC 4226 §4, R6: the shared secret MUST have at least 128 bits. */
export const minimumSeedBits = 128

/** As long as the hash that it keys (RFC 6238 §5.1 with its reference implementation). */
const seedBytes: Readonly<Record<Algorithm, number>> = { SHA1: 20, SHA256: 32, SHA512: 64 }

/** RFC 4648 §6: what can remain of a quantum of eight letters, once the padding is gone. */
const possibleRemainders = new Set([0, 2, 4, 5, 7])

/**
 * The key that a peer and an agent share (K in RFC 6238).
 *
 * It does not print: `JSON.stringify`, `String` and `util.inspect` all show `[seed]`. To reveal it takes
 * {@link Seed.base32} or {@link Seed.bytes}, which are easy to search for.
 */
export class Seed {
  /** Canonical base32. As a string: a mesh has many seeds, and bytes in a buffer of their own take ten times as much. */
  readonly #base32: string

  private constructor(base32: string) {
    this.#base32 = base32
  }

  /**
   * Reads base32 (RFC 4648 §6) of either case, with or without blanks and padding.
   *
   * @throws {TOTPError} `ERR_SEED_INVALID` when it is empty, cut short, or holds another character. The
   *   message never quotes the text.
   */
  static fromBase32(text: string): Seed {
    // Checked before the change of case: toUpperCase turns the long ſ into an S, and the dotless ı into an I.
    const letters = /^([A-Za-z2-7]+)=*$/.exec(text.replace(/\s+/g, ''))?.[1]?.toUpperCase()
    if (letters === undefined) {
      throw new TOTPError('ERR_SEED_INVALID', 'seed is not base32: give letters A-Z and digits 2-7')
    }
    if (!possibleRemainders.has(letters.length % 8)) {
      throw new TOTPError('ERR_SEED_INVALID', 'seed is cut short: base32 never has this many letters')
    }
    // The last letter of a quantum that is not full has bits to spare, which may be anything.
    return new Seed(letters.length % 8 === 0 ? letters : Secret.fromBase32(letters).base32)
  }

  /** @throws {TOTPError} `ERR_SEED_INVALID` when there are no bytes. */
  static fromBytes(bytes: Uint8Array): Seed {
    if (bytes.length === 0) throw new TOTPError('ERR_SEED_INVALID', 'seed is empty')
    return new Seed(new Secret({ buffer: new Uint8Array(bytes).buffer }).base32)
  }

  /** The seed in base32, without padding. Secret. */
  get base32(): string {
    return this.#base32
  }

  /** The seed's bytes, each time in a new array. Secret. */
  get bytes(): Uint8Array {
    return new Uint8Array(Secret.fromBase32(this.#base32).bytes)
  }

  /** Its length in bits. */
  get bits(): number {
    return Math.floor((this.#base32.length * 5) / 8) * 8
  }

  /** Whether it has the 128 bits of RFC 4226 R6. */
  get strong(): boolean {
    return this.bits >= minimumSeedBits
  }

  toJSON(): string {
    return '[seed]'
  }

  toString(): string {
    return '[seed]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[seed]'
  }
}

/** A new seed, as long as the algorithm's hash: 160, 256 or 512 bits. */
export function makeSeed(algorithm: Algorithm, random: RandomBytes): Seed {
  return Seed.fromBytes(random(seedBytes[algorithm]))
}

/**
 * Lets a seed pass where one is provisioned or trusted.
 *
 * @param what how the error names the seed
 * @throws {TOTPError} `ERR_SEED_WEAK` when it has less than 128 bits (RFC 4226 R6) and `allowWeak` is not set.
 */
export function requireStrongSeed(seed: Seed, allowWeak: boolean, remedy: string, what = 'seed'): void {
  if (seed.strong || allowWeak) return
  throw new TOTPError(
    'ERR_SEED_WEAK',
    `${what} has ${seed.bits} bits, RFC 4226 asks for at least ${minimumSeedBits}; ${remedy}`,
  )
}
