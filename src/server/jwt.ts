/** A delegate for tokens of OAuth 2 and OpenID Connect: signed, short-lived, and in no static map. Needs jose. */
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
  /** Where the issuer publishes its keys (RFC 7517 §5). They are fetched when needed, kept, and fetched anew for a key id
   * that is not among them. */
  readonly jwksUrl?: string | URL
  /** The issuer's key, in place of `jwksUrl`. One that is symmetric needs `algorithms`. */
  readonly key?: Key
  readonly issuer: string | readonly string[]
  /** Which audiences the agent answers to; one is enough. */
  readonly audience: string | readonly string[]
  /** The claim that names the peer, or a function that finds the name; by default `sub`. */
  readonly peer?: string | ((claims: JWTPayload) => string | undefined)
  /** By default all that are asymmetric. */
  readonly algorithms?: readonly string[]
  /** In seconds, for the issuer's clock; by default 5. */
  readonly clockTolerance?: number
  /** The `typ` that the token's header must have, `at+jwt` say (RFC 9068). */
  readonly type?: string
  /** How long fetching the keys may take; by default 2000. */
  readonly timeoutMs?: number
  /** For how long after fetching the keys an unknown key id does not have them fetched anew; by default 30,000. */
  readonly cooldownMs?: number
}

/** Without HS*: where keys are published, a public one must never be taken for a shared one (RFC 8725 §2.1). */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** What is wrong with a token, as opposed to what is wrong with the issuer or the way there. */
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
 * Takes a bearer token for a JWT (RFC 7519): signed by the issuer, for this audience, with `exp` and not expired. Its
 * claims are handed on in `caller.claims`. When the keys cannot be fetched it throws, and the request is answered 503.
 */
export class JWTAuth implements ServerAuthScheme {
  readonly #key: Key | JWTVerifyGetKey
  readonly #options: JWTVerifyOptions
  readonly #peerOf: (claims: JWTPayload) => unknown

  /**
   * @throws {TOTPError} `ERR_CONFIG_INVALID` without exactly one of `jwksUrl` and `key`, without issuer or audience,
   *   and for symmetric algorithms of published keys; `ERR_INSECURE_TRANSPORT` for keys over plain http beyond loopback.
   */
  constructor(options: JWTAuthOptions) {
    const { jwksUrl, key, issuer, audience, peer = 'sub', type, clockTolerance = 5 } = options
    const algorithms = options.algorithms ?? asymmetric
    if ((jwksUrl === undefined) === (key === undefined)) throw invalid('give jwksUrl or key, one of them')
    if (issuer.length === 0 || audience.length === 0) throw invalid('issuer and audience must not be empty')
    if (algorithms.length === 0) throw invalid('algorithms must not be empty')
    if (jwksUrl !== undefined && algorithms.some((name) => name.startsWith('HS'))) {
      throw invalid('keys that are published cannot be symmetric; leave HS* out of algorithms')
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

  /** @throws when the issuer's keys cannot be had. */
  async authenticateToken(token: string, context?: Pick<TokenContext, 'at'>): Promise<TokenVerdict> {
    let claims: JWTPayload
    try {
      const options = { ...this.#options, currentDate: context?.at ?? new Date() }
      // One call of each kind, since jose tells a key from a function by its overloads.
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
    // Without the signature, which can be spelled in many ways, and some algorithms know a second one (ECDSA: n − s).
    return { peer, claims, guessKey: token.slice(0, token.lastIndexOf('.')) }
  }
}

function remoteKeys(url: URL, { timeoutMs = 2000, cooldownMs = 30_000 }: JWTAuthOptions): JWTVerifyGetKey {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
    throw new TOTPError(
      'ERR_INSECURE_TRANSPORT',
      'jwksUrl must be https: whoever can change the keys on their way can make tokens',
    )
  }
  return createRemoteJWKSet(url, { timeoutDuration: timeoutMs, cooldownDuration: cooldownMs })
}

function invalid(words: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `JWTAuth: ${words}`)
}
