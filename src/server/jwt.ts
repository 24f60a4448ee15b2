/** A delegate for the tokens of OAuth 2 and OpenID Connect: signed, short-lived, and not in a static map. Needs jose. */
import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type CryptoKey,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type KeyObject,
} from 'jose'
import { TOTPError } from '../core/errors.js'
import { isLoopback } from '../core/url.js'
import type { ServerAuthScheme, TokenContext, TokenVerdict } from './scheme/delegates.js'

type Key = CryptoKey | KeyObject | JWK | Uint8Array

export interface JWTAuthOptions {
  /** Where the issuer publishes its keys (RFC 7517 §5). They are fetched when needed, kept, and fetched again for an
   * unknown key id. */
  readonly jwksUrl?: string | URL
  /** The issuer's key, instead of `jwksUrl`. A symmetric key needs `algorithms`. */
  readonly key?: Key
  readonly issuer: string | readonly string[]
  /** The agent's audiences; a token needs one of them. */
  readonly audience: string | readonly string[]
  /** The claim that names the peer, or a function that returns the name; by default `sub`. */
  readonly peer?: string | ((claims: JWTPayload) => string | undefined)
  /** By default all asymmetric algorithms. */
  readonly algorithms?: readonly string[]
  /** By how much the issuer's clock may differ, in seconds; by default 5. */
  readonly clockTolerance?: number
  /** The `typ` that the token's header must have, for example `at+jwt` (RFC 9068). */
  readonly type?: string
  /** Limit for fetching the keys, in milliseconds; by default 2000. */
  readonly timeoutMs?: number
  /** For how many milliseconds after a fetch an unknown key id causes no other; by default 30,000. */
  readonly cooldownMs?: number
}

/** Without HS*: a published key must never be used as a shared one (RFC 8725 §2.1). */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** Errors of the token, as opposed to errors of the issuer or the network. */
const faultsOfToken: ReadonlySet<string> = new Set([
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTExpired.code,
  errors.JWTInvalid.code,
])

/**
 * Checks a bearer token as a JWT (RFC 7519): it must be signed by the issuer, for this audience, and have an `exp` in the
 * future. Its claims are passed on in `caller.claims`. If the keys cannot be fetched, the request is answered 503.
 */
export class JWTAuth implements ServerAuthScheme {
  readonly #key: Key | JWTVerifyGetKey
  readonly #options: JWTVerifyOptions
  readonly #peerOf: (claims: JWTPayload) => unknown

  /**
   * @throws {TOTPError} `ERR_CONFIG_INVALID` unless there is exactly one of `jwksUrl` and `key`, without issuer or
   *   audience, and for symmetric algorithms with published keys; `ERR_INSECURE_TRANSPORT` for keys over plain http beyond
   *   loopback.
   */
  constructor(options: JWTAuthOptions) {
    const { jwksUrl, key, issuer, audience, peer = 'sub', type, clockTolerance = 5 } = options
    const algorithms = options.algorithms ?? asymmetric
    if ((jwksUrl === undefined) === (key === undefined)) throw invalid('pass either jwksUrl or key')
    if (issuer.length === 0 || audience.length === 0) throw invalid('issuer and audience must not be empty')
    if (algorithms.length === 0) throw invalid('algorithms must not be empty')
    if (jwksUrl !== undefined && algorithms.some((name) => name.startsWith('HS'))) {
      throw invalid('published keys cannot be symmetric; remove HS* from algorithms')
    }
    this.#key = key ?? remoteKeys(new URL(jwksUrl ?? ''), options)
    this.#options = {
      issuer: [issuer].flat(),
      audience: [audience].flat(),
      algorithms: [...algorithms],
      clockTolerance,
      requiredClaims: ['exp'],
      ...(type !== undefined && { typ: type }),
    }
    this.#peerOf = typeof peer === 'function' ? peer : (claims) => claims[peer]
  }

  /** @throws if the issuer's keys cannot be fetched. */
  async authenticateToken(token: string, context?: Pick<TokenContext, 'at'>): Promise<TokenVerdict> {
    let claims: JWTPayload
    try {
      const options = { ...this.#options, currentDate: context?.at ?? new Date() }
      // Two calls, since jose has an overload for a key and one for a function.
      const { payload } =
        typeof this.#key === 'function'
          ? await jwtVerify(token, this.#key, options)
          : await jwtVerify(token, this.#key, options)
      claims = payload
    } catch (error) {
      if (error instanceof errors.JOSEError && faultsOfToken.has(error.code)) return { refusal: error.code }
      throw error
    }
    const peer = this.#peerOf(claims)
    if (typeof peer !== 'string' || peer === '') return { refusal: 'the token names no peer' }
    return { peer, claims }
  }
}

function remoteKeys(url: URL, { timeoutMs = 2000, cooldownMs = 30_000 }: JWTAuthOptions): JWTVerifyGetKey {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
    throw new TOTPError(
      'ERR_INSECURE_TRANSPORT',
      'jwksUrl must be https: an attacker who can change the keys in transit can make tokens',
    )
  }
  return createRemoteJWKSet(url, { timeoutDuration: timeoutMs, cooldownDuration: cooldownMs })
}

function invalid(words: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `JWTAuth: ${words}`)
}
