import { TOTPError } from '../core/errors.js'

/** A server that accepts connections. */
export interface Listener {
  /** `host:port`, with the actual port if 0 was requested. */
  readonly address: string
  /** Ends every connection, streams too, and frees the port. */
  stop(): Promise<void>
}

export const loopback = '127.0.0.1'

const problems = { EADDRINUSE: 'is in use', EACCES: 'needs more privileges' }
const foreignAddress = /EADDRNOTAVAIL|EAFNOSUPPORT/

/**
 * Converts an error of listening into one that names the port and what to do; returns any other unchanged. It looks at
 * the message, since @grpc/grpc-js keeps no other part of the cause.
 */
export function portError(port: number, error: unknown): Error {
  const { message } = error as Error
  const known = Object.entries(problems).find(([errno]) => message.includes(errno))
  if (foreignAddress.test(message)) {
    return new TOTPError('ERR_PORT_UNAVAILABLE', 'that address is not one of this machine; choose another')
  }
  if (!known) return error as Error
  return new TOTPError('ERR_PORT_UNAVAILABLE', `port ${port} ${known[1]}; choose another, or 0 for any`)
}
