import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { TOTPError } from '../../core/errors.js'
import { asObject, parseJson } from '../../core/json.js'

type Algorithm = 'EdDSA' | 'ES256'

/** A private key that signs compact JWS (RFC 7515). */
export class AssertKey {
  readonly #key: KeyObject
  readonly #algorithm: Algorithm
  readonly #header: string
  /** Its public half, as a JWK with `kid`, `alg` and `use`. */
  readonly publicKey: JsonWebKey

  private constructor(key: KeyObject, algorithm: Algorithm, kid: string | undefined) {
    this.#key = key
    this.#algorithm = algorithm
    const publicKey = createPublicKey(key).export({ format: 'jwk' })
    this.publicKey = { ...publicKey, kid: kid ?? thumbprint(publicKey), alg: algorithm, use: 'sig' }
    this.#header = encode({ alg: algorithm, typ: 'JWT', kid: this.publicKey['kid'] })
  }

  /**
   * @param text a private key: a JWK (RFC 7517), or PKCS#8 in PEM; Ed25519 (`EdDSA`) or P-256 (`ES256`)
   * @throws {TOTPError} `ERR_CONFIG_INVALID` for anything else. The message contains nothing of the text.
   */
  static read(text: string): AssertKey {
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
    return new AssertKey(key, algorithm, typeof kid === 'string' && kid !== '' ? kid : undefined)
  }

  /** Signs claims. */
  sign(claims: object): string {
    const signed = `${this.#header}.${encode(claims)}`
    return `${signed}.${this.#signatureOf(signed).toString('base64url')}`
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
