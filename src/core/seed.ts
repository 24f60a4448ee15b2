import { Secret } from 'otpauth'
import { TOTPError } from './errors.js'
import type { Algorithm } from './profile.js'
import type { RandomBytes } from './random.js'

/** RFC 4226 §4, R6: the shared secret must have at least 128 bits. */
export const minimumSeedBits = 128

/** As long as the output of the hash (RFC 6238 §5.1 and its reference implementation). */
const seedBytes: Readonly<Record<Algorithm, number>> = { SHA1: 20, SHA256: 32, SHA512: 64 }

/** RFC 4648 §6: the possible lengths of the last group of eight characters, without padding. */
const possibleRemainders = new Set([0, 2, 4, 5, 7])

/**
 * The key that a peer and an agent share (K in RFC 6238).
 *
 * It does not print: `JSON.stringify`, `String` and `util.inspect` all show `[seed]`. Only {@link Seed.base32} and
 * {@link Seed.bytes} reveal it.
 */
export class Seed {
  /** Canonical base32. A string, because a small buffer takes ten times the memory and a mesh has many seeds. */
  readonly #base32: string

  private constructor(base32: string) {
    this.#base32 = base32
  }

  /**
   * Parses base32 (RFC 4648 §6) in upper or lower case, with or without whitespace, dashes between groups and padding.
   * Everything that reads a seed reads it here.
   *
   * @throws {TOTPError} `ERR_SEED_INVALID` when the text is empty, truncated, or contains another character. The
   *   message never quotes it.
   */
  static fromBase32(text: string): Seed {
    // Matched before the change of case: toUpperCase turns the long ſ into an S, and the dotless ı into an I.
    const grouped = /^([A-Za-z2-7]+(?:-[A-Za-z2-7]+)*)=*$/.exec(text.replace(/\s+/g, ''))?.[1]
    const letters = grouped?.replaceAll('-', '').toUpperCase()
    if (letters === undefined) {
      throw new TOTPError('ERR_SEED_INVALID', 'seed is not base32; use letters A-Z and digits 2-7')
    }
    if (!possibleRemainders.has(letters.length % 8)) {
      throw new TOTPError('ERR_SEED_INVALID', 'seed is truncated; base32 never has this number of characters')
    }
    // The last character of an incomplete group has spare bits, which may be anything.
    return new Seed(letters.length % 8 === 0 ? letters : Secret.fromBase32(letters).base32)
  }

  /**
   * Makes a seed of its bytes.
   *
   * @throws {TOTPError} `ERR_SEED_INVALID` when there are no bytes
   */
  static fromBytes(bytes: Uint8Array): Seed {
    if (bytes.length === 0) throw new TOTPError('ERR_SEED_INVALID', 'seed is empty')
    return new Seed(new Secret({ buffer: new Uint8Array(bytes).buffer }).base32)
  }

  /** The seed in canonical base32, without padding. Secret. */
  get base32(): string {
    return this.#base32
  }

  /** The bytes of the seed, in a new array each time. Secret. */
  get bytes(): Uint8Array {
    return new Uint8Array(Secret.fromBase32(this.#base32).bytes)
  }

  /** The length in bits. */
  get bits(): number {
    return Math.floor((this.#base32.length * 5) / 8) * 8
  }

  /** Whether the seed has at least the 128 bits of RFC 4226 §4, R6. */
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

/** Creates a seed as long as the output of the algorithm's hash: 160, 256 or 512 bits. */
export function makeSeed(algorithm: Algorithm, random: RandomBytes): Seed {
  return Seed.fromBytes(random(seedBytes[algorithm]))
}

/**
 * Requires the 128 bits of RFC 4226 §4, R6, unless `allowWeak` is set.
 *
 * @param remedy the end of the error's message: how to get or allow the seed
 * @param what how the error names the seed
 * @throws {TOTPError} `ERR_SEED_WEAK` when the seed is shorter
 */
export function requireStrongSeed(seed: Seed, allowWeak: boolean, remedy: string, what = 'seed'): void {
  const problem = allowWeak ? undefined : weakSeedProblem(seed, remedy, what)
  if (problem !== undefined) throw new TOTPError('ERR_SEED_WEAK', problem)
}

/** Returns the message of that error; undefined for a seed that is long enough. */
export function weakSeedProblem(seed: Seed, remedy: string, what = 'seed'): string | undefined {
  if (seed.strong) return undefined
  return `${what} has ${seed.bits} bits, RFC 4226 requires at least ${minimumSeedBits}; ${remedy}`
}
