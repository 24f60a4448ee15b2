import { hash, timingSafeEqual } from 'node:crypto'
import { TOTPError } from './errors.js'
import type { RandomBytes } from './random.js'

/** Tells our tokens from others' in a secret scanner. */
const tokenPrefix = 'a2at_'
const tokenBytes = 32

/** RFC 6750 §2.1, `b64token`. */
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/
const longestToken = 8192

/** Whether a text can be sent after `Bearer ` (RFC 6750 §2.1), and is no longer than servers accept. */
export function isToken(text: string): boolean {
  return text.length <= longestToken && b64token.test(text)
}

/** What files for servers hold instead of a token: `sha256:` and the digest in hex. */
export function hashToken(token: string): string {
  return `sha256:${hash('sha256', token)}`
}

/** Whether a text is what {@link hashToken} gives. */
export function isTokenHash(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

const hashLength = 'sha256:'.length + 64
// Reused for every comparison: with two new buffers each time, `authenticate` takes 2.4 µs instead of 2.0 µs.
const one = Buffer.alloc(hashLength)
const other = Buffer.alloc(hashLength)

/** Compares two token hashes in constant time. What is not as long as a hash is equal to nothing. */
export function isSameTokenHash(a: string, b: string): boolean {
  if (a.length !== hashLength || b.length !== hashLength) return false
  one.write(a, 'latin1')
  other.write(b, 'latin1')
  return timingSafeEqual(one, other)
}

/**
 * A bearer token (RFC 6750). It does not print: `JSON.stringify`, `String` and `util.inspect` all show
 * `[token]`. To reveal it takes {@link Token.value}, which is easy to search for.
 */
export class Token {
  readonly #value: string

  private constructor(value: string) {
    this.#value = value
  }

  /**
   * Lets a token pass that somebody else issued. Blanks around it, a newline in a file say, are dropped.
   *
   * @throws {TOTPError} `ERR_TOKEN_INVALID` when it is no `b64token`. The message never quotes it.
   */
  static parse(text: string): Token {
    const value = text.trim()
    if (isToken(value)) return new Token(value)
    throw new TOTPError(
      'ERR_TOKEN_INVALID',
      'token is not an RFC 6750 b64token: give letters, digits and -._~+/ with = at the end only',
    )
  }

  /** The token itself. Secret. */
  get value(): string {
    return this.#value
  }

  /** What servers keep of it: see {@link hashToken}. */
  get hash(): string {
    return hashToken(this.#value)
  }

  toJSON(): string {
    return '[token]'
  }

  toString(): string {
    return '[token]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[token]'
  }
}

/** A new bearer token of 256 bits. */
export function makeToken(random: RandomBytes): Token {
  return Token.parse(tokenPrefix + Buffer.from(random(tokenBytes)).toString('base64url'))
}
