import type { Trouble } from './raw-answer.js'

/** What is known of a TLS connection besides the error that ended it. */
export interface Handshake {
  /** Whether the server asked for a client certificate. */
  readonly asked?: boolean
  /** Whether the probe has one. */
  readonly presented?: boolean
  /** Set while the handshake is not complete. */
  readonly incomplete?: boolean
}

const trusted = 'no trusted TLS connection'

/** Why a certificate is not trusted: X.509 errors as Node names them. */
const distrust: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  CERT_HAS_EXPIRED: [
    'the certificate has expired',
    "renew the agent's certificate; if it is valid, the clock of this machine is wrong",
  ],
  CERT_NOT_YET_VALID: [
    'the certificate is not valid yet',
    'check the clock of this machine, and the dates of the certificate',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the certificate is for another host name',
    'use a URL with a name that the certificate has, or issue one that has this name (subjectAltName)',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'the certificate is self-signed',
    'the certificate is not trusted; pass the certificate itself with --ca FILE',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'its authority is not a known one',
    'the certificate is not trusted; pass the certificate of its authority with --ca FILE',
  ],
  CERT_REVOKED: ['the certificate is revoked', "replace the agent's certificate"],
  INVALID_PURPOSE: [
    'the certificate is not one for servers',
    'issue one with the extended key usage serverAuth',
  ],
}

const unknownIssuer: readonly [string, string] = [
  'the issuer of the certificate is not known',
  'the certificate is not trusted; pass its issuer with --ca FILE. If the issuer is a public one, the agent has to send the intermediate certificate too',
]

const demands = 'the agent demands a client certificate'
const refuses = 'the agent refuses this client certificate'

/** Alerts about a client certificate (RFC 8446 §6.2), by the ends of OpenSSL's names. */
const aboutClient =
  /_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED)$/

/** Other TLS errors that have a hint of their own. */
const mismatches: readonly (readonly [code: RegExp, what: string, hint: string])[] = [
  [
    /_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE)$/,
    'the server does not speak TLS on this port',
    'check the port; for plain http the URL has to begin with http://',
  ],
  [
    /_(ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE)$/,
    'no version of TLS is shared',
    'the probe speaks TLS 1.2 and 1.3; switch one of them on',
  ],
  [
    /_UNRECOGNIZED_NAME$/,
    'the server has no certificate for this host name (SNI)',
    'check the host of the URL, and the server names in what terminates TLS',
  ],
]

/**
 * Explains an error of TLS.
 *
 * @param code as Node has it; empty if the connection was just closed
 * @returns undefined if the error has nothing to do with TLS
 */
export function tlsTrouble(code: string, handshake: Handshake = {}): Trouble | undefined {
  const client = clientTrouble(code, handshake)
  if (client) return client
  const why = distrust[code] ?? (/^UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/.test(code) ? unknownIssuer : undefined)
  if (why) return { reason: 'tls', explanation: `${trusted}: ${why[0]} (${code})`, hint: why[1] }
  const mismatch = mismatches.find(([pattern]) => pattern.test(code))
  if (mismatch) return { reason: 'tls', explanation: `${mismatch[1]} (${code})`, hint: mismatch[2] }
  if (/^ERR_SSL_|^ERR_TLS_|CERT|SELF_SIGNED|UNABLE_TO|^EPROTO$/.test(code)) {
    return {
      reason: 'tls',
      explanation: `${trusted} (${code})`,
      hint: 'check the certificate and the TLS settings of the server, for example with openssl s_client',
    }
  }
  return undefined
}

/** Set if a server did not like the client certificate, or missed one. */
function clientTrouble(code: string, { asked, presented, incomplete }: Handshake): Trouble | undefined {
  // Some servers, Node's among them, close the connection instead of an alert.
  const closed = code === '' && asked === true
  const handshakeFailed = code.endsWith('_ALERT_HANDSHAKE_FAILURE') && (asked === true || presented === true)
  if (!closed && !handshakeFailed && !aboutClient.test(code)) {
    if (code !== '' || incomplete !== true) return undefined
    const explanation = 'the server closed the connection in the TLS handshake'
    const hint = 'check that the port speaks TLS, and whether something in front lets this machine in'
    return { reason: 'tls', explanation, hint: presented ? `${refuses}, perhaps; ${hint}` : hint }
  }
  const shown = code === '' ? '' : ` (${code})`
  return presented === true
    ? {
        reason: 'tls',
        explanation: `${refuses}${shown}`,
        hint: 'pass a certificate with --cert, and its key with --key, that an authority of the agent has issued',
      }
    : {
        reason: 'tls',
        explanation: `${demands}${shown}`,
        hint: `${demands}: pass --cert and --key`,
      }
}
