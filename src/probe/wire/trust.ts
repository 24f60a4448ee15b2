import { createSecureContext, rootCertificates } from 'node:tls'
import { TOTPError } from '../../core/errors.js'

/**
 * TLS options that trust the certificates of a PEM text in addition to Node's, and require a trusted certificate whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` is set to: a probe that accepted any certificate would send the credentials to anyone.
 */
export function trusting(ca: string | undefined): { rejectUnauthorized: true; ca?: string[] } {
  return { rejectUnauthorized: true, ca: ca === undefined ? undefined : [...rootCertificates, ca] }
}

/** @throws {TOTPError} `ERR_USAGE` for a text without a certificate. */
export function requireCertificates(ca: string): void {
  try {
    createSecureContext({ ca })
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return
  } catch {
    // OpenSSL's message about a broken file does not help.
  }
  throw new TOTPError('ERR_USAGE', 'the file contains no certificate; expected PEM')
}
