import type * as nodeTls from 'node:tls'
import { TOTPError } from '../../core/errors.js'

/** Loaded when it is needed: many agents that are probed are on loopback. */
const tls = (): typeof nodeTls => process.getBuiltinModule('node:tls')

/**
 * TLS options that trust the certificates of a PEM text besides those of Node, and insist on a trusted one whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` says: a probe that accepted any certificate would hand the credentials to anybody.
 */
export function trusting(ca: string | undefined): { rejectUnauthorized: true; ca?: string[] } {
  return { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: [...tls().rootCertificates, ca] }) }
}

/** @throws {TOTPError} `ERR_USAGE` for a text without a certificate. */
export function requireCertificates(ca: string): void {
  try {
    tls().createSecureContext({ ca })
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return
  } catch {
    // What OpenSSL says of a broken file helps nobody.
  }
  throw new TOTPError('ERR_USAGE', 'no certificate to trust in what was given; give a file in PEM form')
}
