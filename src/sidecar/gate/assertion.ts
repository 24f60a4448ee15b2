import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { TOTPError } from '../../core/errors.js'
import { asObject, parseJson } from '../../core/json.js'

/** The field that carries the assertion. No peer can set it. */
export const assertionHeader = 'TotpAssertion'

/** How long an assertion is valid, in seconds. */
const lifetimeS = 30

/** What an assertion says, and to whom. */
export interface AssertedCaller {
  readonly peer: string
  readonly agent: string
  readonly audience: string
}

type Algorithm = 'EdDSA' | 'ES256'

/**
 * Signs who called, for an agent that is not on this machine: a compact JWS (RFC 7515) with the claims `iss`, `sub` (the
 * peer), `agent`, `aud`, `iat`, `exp` and `jti`. The agent checks it with the public key.
 */
export class Asserter {
  readonly #key: KeyObject
  readonly #algorithm: Algorithm
  readonly #header: string
  readonly #now: () => Date
  readonly #publicKey: JsonWebKey

  private constructor(key: KeyObject, algorithm: Algorithm, kid: string | undefined, now: () => Date) {
    this.#key = key
    this.#algorithm = algorithm
    this.#now = now
    const publicKey = createPublicKey(key).export({ format: 'jwk' })
    this.#publicKey = { ...publicKey, kid: kid ?? thumbprint(publicKey), alg: algorithm, use: 'sig' }
    this.#header = encode({ alg: algorithm, typ: 'JWT', kid: this.#publicKey['kid'] })
  }

  /**
   * @param text a private key: a JWK (RFC 7517), or PKCS#8 in PEM; Ed25519 (`EdDSA`) or P-256 (`ES256`)
   * @throws {TOTPError} `ERR_CONFIG_INVALID` for anything else. The message contains nothing of the text.
   */
  static read(text: string, now: () => Date = () => new Date()): Asserter {
    const jwk = asObject(parseJson(text))
    let key: KeyObject
    try {
      key =
        jwk['kty'] === undefined
          ? createPrivateKey(text)
          : createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
    } catch {
      throw invalid()
    }
    const algorithm = algorithmOf(key)
    if (!algorithm) throw invalid()
    const { kid } = jwk
    return new Asserter(key, algorithm, typeof kid === 'string' && kid !== '' ? kid : undefined, now)
  }

  sign({ peer, agent, audience }: AssertedCaller): string {
    const iat = Math.floor(this.#now().getTime() / 1000)
    const claims = { iss: 'a2a-totp', sub: peer, agent, aud: audience }
    const signed = `${this.#header}.${encode({ ...claims, iat, exp: iat + lifetimeS, jti: randomUUID() })}`
    return `${signed}.${this.#signatureOf(signed).toString('base64url')}`
  }

  /** The public key, as a JWK Set. */
  jwks(): { readonly keys: readonly JsonWebKey[] } {
    return { keys: [this.#publicKey] }
  }

  #signatureOf(text: string): Buffer {
    const data = Buffer.from(text)
    if (this.#algorithm === 'EdDSA') return sign(null, data, this.#key)
    // RFC 7518 §3.4: the two numbers side by side, not as DER.
    return sign('sha256', data, { key: this.#key, dsaEncoding: 'ieee-p1363' })
  }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm | undefined {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  const isP256 = asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
  return isP256 ? 'ES256' : undefined
}

/** RFC 7638: the hash of the members that make the key, in the order of their names. */
function thumbprint({ crv, kty, x, y }: JsonWebKey): string {
  const members = y === undefined ? { crv, kty, x } : { crv, kty, x, y }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function invalid(): TOTPError {
  return new TOTPError(
    'ERR_CONFIG_INVALID',
    'the key of --assert-key cannot be used; make one of Ed25519 or P-256 as PKCS#8, `openssl genpkey -algorithm ed25519`, or as a private JWK',
  )
}
