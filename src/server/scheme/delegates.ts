import { TOTPError } from '../../core/errors.js'
import { isInstant } from '../../core/instant.js'
import { quoteName } from '../../core/name.js'
import { isLive } from '../../core/roster.js'
import { hashToken, isSameTokenHash, isTokenHash, Token } from '../../core/token.js'

/** What a delegate may need besides the token. */
export interface TokenContext {
  readonly at: Date
  /** The hash of the token, `sha256:` and hex. */
  readonly tokenHash: string
}

/** A delegate's answer about a token: the peer it belongs to, or a refusal. */
export type TokenVerdict =
  | {
      /** The peer that the token belongs to, if the delegate knows. */
      readonly peer?: string
      /** Anything else that the token proves; passed on to the agent. */
      readonly claims?: Readonly<Record<string, unknown>>
      /** From this instant on the token is no longer valid: streams that were opened with it end. */
      readonly expiresAt?: Date | undefined
      readonly refusal?: never
    }
  /** Refused. The text is documentation; no caller sees it. */
  | { readonly refusal: string }

/**
 * The first factor: checks a bearer token. It is called once per request, and its answer alone never lets anyone in. If
 * it throws, the request is answered 503.
 */
export interface ServerAuthScheme {
  /**
   * Whether checking a token is a mere look-up in memory. Such a delegate is asked about every token. Any other one, by
   * default, is not asked about a new token of a source that has sent too many unknown ones (429).
   */
  readonly isLookup?: boolean
  authenticateToken(token: string, context?: TokenContext): TokenVerdict | Promise<TokenVerdict>
  /**
   * For a delegate that knows all its tokens: returns the hashes (`sha256:` and hex) of those that are live at an
   * instant, of one peer or of all. Guesses with other tokens are then forgotten, so a new token restores the service of
   * a peer that a guesser has locked out. Without this method no guess is forgotten.
   */
  liveTokens?(at: Date, peer?: string): readonly string[]
}

export interface SimpleTokenAuthOptions {
  /** By default `$AUTH_TOKEN`. */
  readonly token?: string | Token
  /** The peer that the token belongs to; by default the one in the scheme's `tokenToPeer`. */
  readonly peer?: string
}

/** One token, one peer. */
export class SimpleTokenAuth implements ServerAuthScheme {
  readonly isLookup = true
  readonly #hash: string
  readonly #peer: string | undefined

  /**
   * @param given the token, alone or with its peer
   * @throws {TOTPError} `ERR_TOKEN_MISSING` without a token, `ERR_TOKEN_INVALID` for one that a request cannot carry
   *   (RFC 6750 §2.1).
   */
  constructor(given: SimpleTokenAuthOptions | string = {}) {
    const { token = process.env['AUTH_TOKEN'], peer } = typeof given === 'string' ? { token: given } : given
    if (!token) throw new TOTPError('ERR_TOKEN_MISSING', 'no token; pass one, or set $AUTH_TOKEN')
    this.#hash = Token.parse(valueOf(token)).hash
    this.#peer = peer
  }

  authenticateToken(token: string, context?: TokenContext): TokenVerdict {
    const tokenHash = context?.tokenHash ?? hashToken(token)
    if (!isSameTokenHash(tokenHash, this.#hash)) return { refusal: 'unknown token' }
    return this.#peer === undefined ? {} : { peer: this.#peer }
  }

  liveTokens(): readonly string[] {
    return [this.#hash]
  }
}

/** A token or its hash, and the peer it belongs to. */
export interface PeerToken {
  readonly peer: string
  /** The token, or what `hashToken` returns for it: `sha256:` and hex. */
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

/** Any number of tokens, each belonging to one peer. Keeps only their hashes. */
export class PeerTokenAuth implements ServerAuthScheme {
  readonly isLookup = true
  readonly #known = new Map<string, KnownToken>()
  /** Made when the first guess has exhausted a budget. */
  #byPeer: ReadonlyMap<string, readonly KnownToken[]> | undefined

  /**
   * @throws {TOTPError} `ERR_TOKEN_INVALID` for a token that a request cannot carry, `ERR_CONFIG_INVALID` for one that
   *   is listed twice, or whose `expiresAt` is not a valid date.
   */
  constructor(tokens: PeerTokens) {
    for (const { token, peer, expiresAt } of listOf(tokens)) {
      const hash = tokenHashOf(token)
      if (this.#known.has(hash)) {
        throw new TOTPError(
          'ERR_CONFIG_INVALID',
          `a token of ${quoteName(peer)} is listed twice; list each token once, for one peer`,
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
    // The map looks up a digest, which timing does not help to forge; this compares it again, in constant time.
    if (!known || !isSameTokenHash(known.hash, tokenHash)) return { refusal: 'unknown token' }
    if (!isLive(known, at)) return { refusal: 'expired token' }
    return known.expiresAt ? new EndingVerdict(known.peer, known.expiresAt) : { peer: known.peer }
  }

  liveTokens(at: Date, peer?: string): readonly string[] {
    this.#byPeer ??= groupByPeer(this.#known.values())
    const tokens = peer === undefined ? [...this.#known.values()] : (this.#byPeer.get(peer) ?? [])
    return tokens.filter((token) => isLive(token, at)).map(({ hash }) => hash)
  }
}

function groupByPeer(tokens: Iterable<KnownToken>): ReadonlyMap<string, readonly KnownToken[]> {
  const groups = new Map<string, KnownToken[]>()
  for (const token of tokens) {
    const group = groups.get(token.peer)
    if (group) group.push(token)
    else groups.set(token.peer, [token])
  }
  return groups
}

/** Its end is a getter of the prototype, so that it equals `{ peer }` to code that compares verdicts. */
class EndingVerdict {
  readonly #expiresAt: Date

  constructor(
    readonly peer: string,
    expiresAt: Date,
  ) {
    this.#expiresAt = expiresAt
  }

  get expiresAt(): Date {
    return this.#expiresAt
  }
}

/** Whether a delegate answers about a token whose hash alone is known, as ours do. */
export function knowsHashes(delegate: ServerAuthScheme): delegate is PeerTokenAuth | SimpleTokenAuth {
  // Not `instanceof`: one that extends these may do anything with a token.
  return delegate.constructor === PeerTokenAuth || delegate.constructor === SimpleTokenAuth
}

/** Whether a delegate of ours has a token, live or expired; false for any other delegate. */
export function listsToken(delegate: ServerAuthScheme, tokenHash: string): boolean {
  if (!knowsHashes(delegate)) return false
  const verdict = delegate.authenticateToken('', { at: new Date(0), tokenHash })
  return verdict.refusal === undefined
}

/** The hash of a token, which is given as it is or as its hash already; a `b64token` never looks like a hash. */
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
