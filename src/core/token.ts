import { hash, timingSafeEqual } from 'node:crypto'
import { TOTPError } from './errors.js'
import type { RandomBytes } from './random.js'
import { estimateTokenBits } from './token-strength.js'

/** Lets secret scanners recognise the tokens of this tool. */
const tokenPrefix = 'a2at_'
const tokenBytes = 32

/** What a token should take to guess: as much as a seed (RFC 4226 §4, R6). RFC 6749 §10.10 asks for 2^-128. */
export const minimumTokenBits = 128

/** RFC 6750 §2.1, `b64token`. */
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/
const longestToken = 8192

/** Returns whether a text can be sent after `Bearer ` (RFC 6750 §2.1) and has at most 8192 characters. */
export function isToken(text: string): boolean {
  return text.length <= longestToken && b64token.test(text)
}

/** Returns what server files contain instead of a token: `sha256:` and its SHA-256 digest in hex. */
export function hashToken(token: string): string {
  return `sha256:${hash('sha256', token)}`
}

/** Returns whether a text has the form of {@link hashToken}'s result. */
export function isTokenHash(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

const hashLength = 'sha256:'.length + 64
// Reused for every comparison: with two new buffers each time, `authenticate` takes 2.4 µs instead of 2.0 µs.
const one = Buffer.alloc(hashLength)
const other = Buffer.alloc(hashLength)

/** Compares two token hashes in constant time. A text that is not as long as a hash equals nothing. */
export function isSameTokenHash(a: string, b: string): boolean {
  if (a.length !== hashLength || b.length !== hashLength) return false
  one.write(a, 'latin1')
  other.write(b, 'latin1')
  return timingSafeEqual(one, other)
}

/**
 * A bearer token (RFC 6750).
 *
 * It does not print: `JSON.stringify`, `String` and `util.inspect` all show `[token]`. Only {@link Token.value} reveals
 * it.
 */
export class Token {
  readonly #value: string
  #hash?: string

  private constructor(value: string) {
    this.#value = value
  }

  /**
   * Parses a token that was issued elsewhere. Whitespace around it is dropped, such as the newline of a file.
   *
   * @throws {TOTPError} `ERR_TOKEN_INVALID` when the text is not a `b64token` (RFC 6750 §2.1) or has more than 8192
   *   characters. The message never quotes it.
   */
  static parse(text: string): Token {
    const value = text.trim()
    if (isToken(value)) return new Token(value)
    throw new TOTPError(
      'ERR_TOKEN_INVALID',
      'token is not an RFC 6750 b64token; use letters, digits and -._~+/, with = only at the end',
    )
  }

  /** The token itself. Secret. */
  get value(): string {
    return this.#value
  }

  /** What servers store instead of the token; see {@link hashToken}. Made when it is asked for, and once. */
  get hash(): string {
    return (this.#hash ??= hashToken(this.#value))
  }

  /** An estimate of the bits that have to be guessed; see {@link estimateTokenBits}. */
  get bits(): number {
    return estimateTokenBits(this.#value)
  }

  /** Whether that is at least {@link minimumTokenBits}. */
  get strong(): boolean {
    return this.bits >= minimumTokenBits
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

/**
 * A token that is known by its hash alone, as in a server file: it can be recognised, but not sent. A hash does not
 * reveal its token, so this may be printed.
 */
export class TokenHash {
  /** Never known. */
  readonly value = undefined

  private constructor(readonly hash: string) {}

  /** @throws {TOTPError} `ERR_TOKEN_INVALID` when the text is not `sha256:` and 64 hex digits in lower case */
  static parse(text: string): TokenHash {
    if (isTokenHash(text)) return new TokenHash(text)
    throw new TOTPError('ERR_TOKEN_INVALID', 'a token hash must be sha256: and 64 hex digits in lower case')
  }
}

/** Creates a bearer token of 256 bits, with the prefix `a2at_`. */
export function makeToken(random: RandomBytes): Token {
  return Token.parse(tokenPrefix + Buffer.from(random(tokenBytes)).toString('base64url'))
}

/**
 * Requires {@link minimumTokenBits}, unless `allowWeak` is set.
 *
 * @param remedy the end of the error's message: how to get or allow the token
 * @throws {TOTPError} `ERR_TOKEN_WEAK` when it is easier to guess
 */
export function requireStrongToken(token: Token, allowWeak: boolean, remedy: string): void {
  if (allowWeak || token.strong) return
  throw new TOTPError(
    'ERR_TOKEN_WEAK',
    `token has about ${token.bits} bits, RFC 6749 §10.10 requires at least ${minimumTokenBits}; ${remedy}`,
  )
}
