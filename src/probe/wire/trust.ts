import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'
import { TOTPError } from '../../core/errors.js'

/** Whom to trust, and who to be, in a TLS connection. All are PEM texts. */
export interface Identity {
  /** Certificates to trust in addition to Node's. */
  readonly ca?: string
  /** Presented where the server asks for one. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string }
}

/**
 * The secure context of an identity: its certificates are trusted in addition to those that Node trusts, the ones of
 * `NODE_EXTRA_CA_CERTS` and of the system included where Node uses them.
 */
export function secureContextOf({ ca, clientCertificate }: Identity): tls.SecureContext {
  return tls.createSecureContext({
    ...(ca !== undefined && { ca: [...trustedByNode(), ca] }),
    ...clientCertificate,
  })
}

/** What Node trusts by default. Only newer versions list it; in older ones it is the built-in and the extra certificates. */
function trustedByNode(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] }
  return getCACertificates ? getCACertificates('default') : [...tls.rootCertificates, ...extraCertificates()]
}

function extraCertificates(): string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'] ?? ''
  if (file === '') return []
  try {
    const text = readFileSync(file, 'utf8')
    return isCertificate(text) ? [text] : []
  } catch {
    // Node itself warns of a file that it cannot read.
    return []
  }
}

/** @throws {TOTPError} `ERR_USAGE` for a text without a certificate. */
export function requireCertificates(ca: string): void {
  if (isCertificate(ca)) return
  throw new TOTPError('ERR_USAGE', 'the file given to --ca contains no certificate; expected PEM')
}

/**
 * @throws {TOTPError} `ERR_USAGE` for a certificate or a key that is not PEM, a key with a passphrase, and a key of
 *   another certificate. The message quotes neither.
 */
export function requireClientCertificate({ cert, key }: NonNullable<Identity['clientCertificate']>): void {
  const fail = (message: string): never => {
    throw new TOTPError('ERR_USAGE', message)
  }
  if (!isCertificate(cert))
    fail('the client certificate (--cert) cannot be read; expected a certificate as PEM')
  if (!/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(key)) {
    fail('the key of the client certificate (--key) cannot be read; expected a private key as PEM')
  }
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(key)) {
    fail('the key of the client certificate (--key) has a passphrase; expected one without')
  }
  try {
    tls.createSecureContext({ key })
  } catch {
    fail('the key of the client certificate (--key) cannot be read; expected a private key as PEM')
  }
  try {
    tls.createSecureContext({ cert, key })
  } catch {
    fail('--key is not the key of --cert; expected the key of the first certificate in that file')
  }
}

function isCertificate(text: string): boolean {
  if (!text.includes('-----BEGIN CERTIFICATE-----')) return false
  try {
    tls.createSecureContext({ ca: text })
    return true
  } catch {
    // OpenSSL's message about a broken file does not help.
    return false
  }
}
