/** A delegate for the tokens of OAuth 2 and OpenID Connect: signed, short-lived, and not in a static map. Needs jose. */
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose'
import { TOTPError } from '../core/errors.js'
import { isInstant } from '../core/instant.js'
import { publishedKeys } from './jwt/published-keys.js'
import { faultOfKey } from './jwt/static-key.js'
import { verifyToken, type Key } from './jwt/verify.js'
import type { ServerAuthScheme, TokenContext, TokenVerdict } from './scheme/delegates.js'

export interface JWTAuthOptions {
  /** Where the issuer publishes its keys (RFC 7517 §5). They are fetched when needed, kept, and fetched again for an
   * unknown key id. */
  readonly jwksUrl?: string | URL
  /**
   * The issuer's key, instead of `jwksUrl`, or a function that finds it, such as jose's `createLocalJWKSet` returns. A
   * symmetric key needs `algorithms`.
   */
  readonly key?: Key | JWTVerifyGetKey
  readonly issuer: string | readonly string[]
  /** The agent's audiences; a token needs one of them. */
  readonly audience: string | readonly string[]
  /**
   * The claim that names the peer, or a function that returns the name; by default `sub`. A token for which the function
   * throws is refused.
   */
  readonly peer?: string | ((claims: JWTPayload) => string | undefined)
  /** By default all asymmetric algorithms. */
  readonly algorithms?: readonly string[]
  /** By how much the issuer's clock may differ, in seconds; by default 5. */
  readonly clockTolerance?: number
  /** The `typ` that the token's header must have, for example `at+jwt` (RFC 9068). */
  readonly type?: string
  /** Limit for finding the keys (which may have to be fetched) and trying them, in milliseconds; by default 2000. */
  readonly timeoutMs?: number
  /** For how many milliseconds after a fetch an unknown key id causes no other; by default 30,000. */
  readonly cooldownMs?: number
}

/** Without HS*: a published key must never be used as a shared one (RFC 8725 §2.1). */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** Node fires a longer timer at once. */
const longestTimer = 2_147_483_647

/** The last one that a `Date` can be (ECMA-262 §21.4.1.1), in milliseconds. */
const lastInstant = 8.64e15

/**
 * Checks a bearer token as a JWT (RFC 7519): it must be signed by the issuer, for this audience, and have an `exp` in the
 * future. Its claims are passed on in `caller.claims`. If the keys cannot be fetched, the request is answered 503.
 *
 * Where a key set has several keys that fit the token's header, up to 8 of them are tried.
 */
export class JWTAuth implements ServerAuthScheme {
  readonly #key: Key | JWTVerifyGetKey
  readonly #options: JWTVerifyOptions
  readonly #timeoutMs: number
  readonly #peerOf: (claims: JWTPayload) => unknown
  readonly #clockTolerance: number

  /**
   * @throws {TOTPError} `ERR_CONFIG_INVALID` unless there is exactly one of `jwksUrl` and `key`, without issuer or
   *   audience, for symmetric algorithms with published keys, for a key that fits no token, and for times that are no
   *   numbers; `ERR_INSECURE_TRANSPORT` for keys over plain http beyond loopback.
   */
  constructor(options: JWTAuthOptions) {
    const { jwksUrl, key, issuer, audience, peer = 'sub', type } = options
    const { clockTolerance = 5, timeoutMs = 2000, cooldownMs = 30_000 } = options
    const algorithms = options.algorithms ?? asymmetric
    if ((jwksUrl === undefined) === (key === undefined)) throw invalid('pass either jwksUrl or key')
    if (issuer.length === 0 || audience.length === 0) throw invalid('issuer and audience must not be empty')
    if (algorithms.length === 0) throw invalid('algorithms must not be empty')
    if (jwksUrl !== undefined && algorithms.some((name) => name.startsWith('HS'))) {
      throw invalid('published keys cannot be symmetric; remove HS* from algorithms')
    }
    if (!Number.isFinite(clockTolerance) || clockTolerance < 0) {
      throw invalid('clockTolerance must be a number of seconds, at least 0')
    }
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > longestTimer) {
      throw invalid('timeoutMs must be a whole number of milliseconds above 0')
    }
    if (typeof cooldownMs !== 'number' || !(cooldownMs >= 0)) {
      throw invalid('cooldownMs must be a number of milliseconds, at least 0')
    }
    const fault = typeof key === 'function' || key === undefined ? undefined : faultOfKey(key)
    if (fault !== undefined) throw invalid(fault)
    this.#key = key ?? publishedKeys(urlOf(jwksUrl ?? ''), timeoutMs, cooldownMs)
    this.#options = {
      issuer: [issuer].flat(),
      audience: [audience].flat(),
      algorithms: [...algorithms],
      clockTolerance,
      requiredClaims: ['exp'],
      ...(type !== undefined && { typ: type }),
    }
    this.#timeoutMs = timeoutMs
    this.#clockTolerance = clockTolerance
    this.#peerOf = typeof peer === 'function' ? peer : (claims) => claims[peer]
  }

  /** @throws if the issuer's keys cannot be had in time. No token makes it throw. */
  async authenticateToken(token: string, context?: Pick<TokenContext, 'at'>): Promise<TokenVerdict> {
    const currentDate = context?.at ?? new Date()
    if (!isInstant(currentDate)) throw new TOTPError('ERR_USAGE', 'at must be a valid Date')
    const options = { ...this.#options, currentDate }
    const { claims, refusal } = await verifyToken(token, this.#key, options, this.#timeoutMs)
    if (claims === undefined) return { refusal }
    const peer = await this.#nameOf(claims)
    if (typeof peer !== 'string' || peer === '') return { refusal: 'the token names no peer' }
    return { peer, claims, expiresAt: this.#endOf(claims) }
  }

  /** When `authenticateToken` starts to refuse the token. `exp` is there, since it is required. */
  #endOf({ exp = 0 }: JWTPayload): Date {
    return new Date(Math.min((exp + this.#clockTolerance) * 1000, lastInstant))
  }

  async #nameOf(claims: JWTPayload): Promise<unknown> {
    try {
      return await this.#peerOf(claims)
    } catch {
      // It expects claims that this token does not have.
      return undefined
    }
  }
}

function urlOf(url: string | URL): URL {
  if (!URL.canParse(String(url))) throw invalid('jwksUrl must be an absolute URL')
  return new URL(url)
}

function invalid(words: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `JWTAuth: ${words}`)
}
