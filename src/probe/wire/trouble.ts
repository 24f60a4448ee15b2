import type { Trouble } from './raw-answer.js'
import { tlsTrouble, type Handshake } from './tls-trouble.js'

/** Thrown where a connection cannot be made, for a reason that is already known. */
export class NoConnection extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble.explanation)
  }
}

const absent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
])

/** What a connection ends with when the other side closes it. */
const ended = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_CLOSED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_INVALID_SESSION',
])

export const onlyHttp2: Trouble = {
  reason: 'broken',
  explanation: 'the agent speaks HTTP/2 only here',
  hint: 'the probe speaks HTTP/1.1 to the card, JSON-RPC and REST; accept HTTP/1.1 there too. An endpoint with gRPC alone needs --binding grpc',
}

export const onlyTls: Trouble = {
  reason: 'tls',
  explanation: 'plain http was sent to a port that speaks TLS',
  hint: 'the URL has to begin with https://',
}

const noHttp2 = (code: string): Trouble => ({
  reason: 'broken',
  explanation: `the server does not speak HTTP/2, which gRPC needs (${code})`,
  hint: 'check that the card names the port of gRPC, and that what is in front passes HTTP/2 on',
})

/**
 * Says why there is no answer. Uses the code of an error, never its message, which the other side may have influenced.
 *
 * @param protocol what the client spoke
 */
export function explain(
  error: NodeJS.ErrnoException & { readonly rawPacket?: unknown },
  protocol: 'http/1.1' | 'h2',
  handshake: Handshake = {},
): Trouble {
  if (error instanceof NoConnection) return error.trouble
  const code = codeOf(error)
  if (absent.has(code)) return { reason: 'unreachable', explanation: `no connection (${code})` }
  if (code.endsWith('_NO_APPLICATION_PROTOCOL')) return protocol === 'h2' ? noHttp2(code) : onlyHttp2
  const tls = tlsTrouble(code, handshake) ?? (ended.has(code) ? tlsTrouble('', handshake) : undefined)
  if (tls) return tls
  if (code === 'HPE_HEADER_OVERFLOW')
    return { reason: 'broken', explanation: `the header of the answer is too long (${code})`, unread: {} }
  if (code.startsWith('HPE_')) return protocolOf(error.rawPacket) ?? notHttp(code)
  if (code === 'ERR_HTTP2_ERROR') return protocol === 'h2' ? noHttp2(code) : notHttp(code)
  const explanation = `the connection ended without an answer (${code})`
  return { reason: 'broken', explanation, ...(ended.has(code) && { closed: true }) }
}

const notHttp = (code: string): Trouble => ({
  reason: 'broken',
  explanation: `the answer is not valid HTTP (${code})`,
})

/** What the first bytes of a server show that does not speak HTTP/1.1. */
export function protocolOf(packet: unknown): Trouble | undefined {
  if (!(packet instanceof Uint8Array)) return undefined
  // A SETTINGS frame of stream 0 is the first that a server sends (RFC 9113 §3.4).
  const isSettings =
    packet.length >= 9 && packet[3] === 4 && packet.subarray(5, 9).every((byte) => byte === 0)
  if (isSettings) return onlyHttp2
  // A TLS alert (RFC 8446 §5.1).
  return packet[0] === 0x15 && packet[1] === 3 ? onlyTls : undefined
}

/**
 * The code of an error. Node gives some TLS errors the code EPROTO, with OpenSSL's reason in the message; this returns the
 * code that it gives to the others. OpenSSL takes its reasons from a table of its own.
 */
export function codeOf(error: NodeJS.ErrnoException): string {
  const [, reason] = /:SSL routines:[^:]*:([a-z\d ]+):/i.exec(error.message) ?? []
  if (error.code === 'EPROTO' && reason !== undefined) {
    return `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`
  }
  return error.code ?? error.name
}
