import { createSecureContext, rootCertificates } from 'node:tls'
import { TOTPError } from '../../core/errors.js'

/**
 * TLS options that trust the certificates of a PEM text besides those of Node, and insist on a trusted one whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` says: a probe that accepted any certificate would hand the credentials to anybody.
 */
export function trusting(ca: string | undefined): { rejectUnauthorized: true; ca?: string[] } {
  return { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) }
}

/** @throws {TOTPError} `ERR_USAGE` for a text without a certificate. */
export function requireCertificates(ca: string): void {
  try {
    createSecureContext({ ca })
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return
  } catch {
    // What OpenSSL says of a broken file helps nobody.
  }
  throw new TOTPError('ERR_USAGE', 'no certificate to trust in what was given; give a file in PEM form')
}
