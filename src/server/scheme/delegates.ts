import { TOTPError } from '../../core/errors.js'
import { isInstant } from '../../core/instant.js'
import { quoteName } from '../../core/name.js'
import { isLive } from '../../core/roster.js'
import { hashToken, isSameTokenHash, isTokenHash, Token } from '../../core/token.js'

/** What a delegate may want to know besides the token. */
export interface TokenContext {
  readonly at: Date
  /** `sha256:` and hex, worked out already. */
  readonly tokenHash: string
}

/** What a delegate says of a token: whose it is, or that it is nobody's. */
export type TokenVerdict =
  | {
      /** Whose token it is, where the delegate knows. */
      readonly peer?: string
      /** Anything else that it proves, handed on to the agent. */
      readonly claims?: Readonly<Record<string, unknown>>
      /**
       * What guesses with this token are counted by, where one token passes in several spellings; by default its text.
       * Without it each spelling would have budgets of its own.
       */
      readonly guessKey?: string
      readonly refusal?: never
    }
  /** Refused. The text is for whoever reads the delegate; no caller sees it. */
  | { readonly refusal: string }

/**
 * The first factor: checks a bearer token. It is asked once a request and never trusted alone. One that throws
 * cannot tell, and the request is answered 503.
 */
export interface ServerAuthScheme {
  authenticateToken(token: string, context?: TokenContext): TokenVerdict | Promise<TokenVerdict>
}

export interface SimpleTokenAuthOptions {
  /** By default `$AUTH_TOKEN`. */
  readonly token?: string | Token
  /** Whose token it is; without a name the scheme's `tokenToPeer` says it. */
  readonly peer?: string
}

/** One token, one peer. */
export class SimpleTokenAuth implements ServerAuthScheme {
  readonly #hash: string
  readonly #peer: string | undefined

  /**
   * @param given the token, alone or with its peer
   * @throws {TOTPError} `ERR_TOKEN_MISSING` without a token, `ERR_TOKEN_INVALID` for one that no request can
   *   carry (RFC 6750 §2.1).
   */
  constructor(given: SimpleTokenAuthOptions | string = {}) {
    const { token = process.env['AUTH_TOKEN'], peer } = typeof given === 'string' ? { token: given } : given
    if (!token) throw new TOTPError('ERR_TOKEN_MISSING', 'no token: give one, or set $AUTH_TOKEN')
    this.#hash = Token.parse(valueOf(token)).hash
    this.#peer = peer
  }

  authenticateToken(token: string, context?: TokenContext): TokenVerdict {
    const tokenHash = context?.tokenHash ?? hashToken(token)
    if (!isSameTokenHash(tokenHash, this.#hash)) return { refusal: 'unknown token' }
    return this.#peer === undefined ? {} : { peer: this.#peer }
  }
}

/** A token or its hash, and whose it is. */
export interface PeerToken {
  readonly peer: string
  /** The token, or what `hashToken` makes of it: `sha256:` and hex. */
  readonly token: string | Token
  /** From this instant on it is refused. */
  readonly expiresAt?: Date
}

/** Token (or its hash) to peer, as an object or a map; or a list, for tokens that expire. */
export type PeerTokens = Readonly<Record<string, string>> | ReadonlyMap<string, string> | readonly PeerToken[]

interface KnownToken {
  readonly hash: string
  readonly peer: string
  readonly expiresAt?: Date
}

/** Any number of tokens, each of them one peer's. Keeps their hashes only. */
export class PeerTokenAuth implements ServerAuthScheme {
  readonly #known = new Map<string, KnownToken>()

  /**
   * @throws {TOTPError} `ERR_TOKEN_INVALID` for a token that no request can carry, `ERR_CONFIG_INVALID` for
   *   one that belongs to two peers, or ends at no instant.
   */
  constructor(tokens: PeerTokens) {
    for (const { token, peer, expiresAt } of listOf(tokens)) {
      const hash = tokenHashOf(token)
      if (this.#known.has(hash)) {
        throw new TOTPError(
          'ERR_CONFIG_INVALID',
          `a token of ${quoteName(peer)} is listed twice; give each token to one peer, once`,
        )
      }
      if (expiresAt !== undefined && !isInstant(expiresAt)) {
        throw new TOTPError(
          'ERR_CONFIG_INVALID',
          `expiresAt of a token of ${quoteName(peer)} must be a valid Date`,
        )
      }
      this.#known.set(hash, { hash, peer, expiresAt })
    }
  }

  authenticateToken(token: string, context?: TokenContext): TokenVerdict {
    const { at, tokenHash } = context ?? { at: new Date(), tokenHash: hashToken(token) }
    const known = this.#known.get(tokenHash)
    // The map found it by a digest, which no timing helps to forge; this compares it once more, in full.
    if (!known || !isSameTokenHash(known.hash, tokenHash)) return { refusal: 'unknown token' }
    return isLive(known, at) ? { peer: known.peer } : { refusal: 'expired token' }
  }
}

/** The hash of a token that is given as itself or as its hash; no `b64token` looks like a hash. */
export function tokenHashOf(token: string | Token): string {
  const value = valueOf(token)
  return isTokenHash(value) ? value : Token.parse(value).hash
}

function listOf(tokens: PeerTokens): readonly PeerToken[] {
  if (Array.isArray(tokens)) return tokens as readonly PeerToken[]
  const entries = tokens instanceof Map ? tokens : new Map(Object.entries(tokens as Record<string, string>))
  return [...(entries as ReadonlyMap<string, string>)].map(([token, peer]) => ({ token, peer }))
}

function valueOf(token: string | Token): string {
  return typeof token === 'string' ? token : token.value
}
