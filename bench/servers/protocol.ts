/** The servers of the sections HTTP and gRPC; what they are called in the report as well. */
export type ServerName =
  | 'node:http'
  | 'node:http + a2a-totp, reuse'
  | 'node:http + a2a-totp, once'
  | 'node:http + a2a-totp, once over Redis'
  | 'node:http + createHash + Map + otpauth'
  | 'express'
  | 'express + a2a-totp, reuse'
  | 'express + passport-http-bearer + otplib'
  | 'express.json + a2a-totp, code alone'
  | 'express.json + a2a-totp, code alone, again'
  | 'express.json + a2a-totp, observe, code alone'
  | 'express.json + a2a-totp, accept, signed'
  | 'grpc-js'
  | 'grpc-js + a2a-totp, reuse'
  | 'grpc-js + a2a-totp, once'

export interface PeerData {
  readonly name: string
  /** In base32. */
  readonly seed: string
  readonly token: string
}

/** What the runner tells a server; each order is answered with one number. */
export type Order =
  /** Answered with the port. `at` is where its clock stands, in milliseconds. */
  | {
      readonly type: 'start'
      readonly server: ServerName
      readonly peers: readonly PeerData[]
      readonly at: number
      /** The socket of a Redis, for those that need one. */
      readonly redis?: string
    }
  /** Sets the clock. Answered with the CPU time used so far, in milliseconds. */
  | { readonly type: 'usage'; readonly at: number }

/** What the servers are called by those who sign. */
export const agent = 'billing'
