import type { Readable } from 'node:stream'
import type { RawFields } from './fields.js'

/** The head of a request that may be passed on: no smuggled framing, and nothing that the next server could read otherwise. */
export interface RequestHead {
  readonly method: string
  /** In origin-form, as it was received; for gRPC `/pkg.Service/Method`. */
  readonly target: string
  /** As received, without pseudo-fields. The authority of HTTP/2 is in {@link authority} alone. */
  readonly fields: RawFields
  /** The one Host field, or `:authority`. */
  readonly authority: string
  readonly isGrpc: boolean
}

/** A request to the server behind. */
export interface OutgoingRequest {
  readonly method: string
  readonly target: string
  /** End to end, without Host and Content-Length of a content that is given as bytes. */
  readonly fields: RawFields
  /** The Host field; by default that of the server behind. */
  readonly authority?: string
  /** Undefined if there is none. A stream is sent as it arrives; its errors and its abort reach the server behind. */
  readonly content: Readable | Uint8Array | undefined
  /** The trailers of a streamed content, once it has ended. */
  readonly trailers?: () => RawFields
}

/** The head of an answer, and the rest of it as it arrives. */
export interface IncomingAnswer {
  readonly status: number
  /** As received, without pseudo-fields. */
  readonly fields: RawFields
  /** Fails if the answer was cut off, and is destroyed to abort the request. */
  readonly content: Readable
  /** Once the content has ended. */
  readonly trailers: () => RawFields
  /** The head is all of it, and said so: of gRPC, an answer that is only trailers. */
  readonly isBare?: boolean
}

/** The server behind a sidecar: an agent, or a gate. */
export interface Upstream {
  /** HTTP/2 for gRPC, else HTTP/1.1. */
  readonly protocol: 'http/1.1' | 'h2'
  readonly origin: string
  /**
   * Sends a request, once.
   *
   * @param signal aborts it, whatever it has come to
   * @returns when the head of the final answer is there
   * @throws {UpstreamError} if there is no answer
   */
  send(request: OutgoingRequest, signal: AbortSignal): Promise<IncomingAnswer>
  /** Closes what is open once it is no longer in use. */
  close(): void
}

/** Why the server behind has not answered. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'

  /**
   * @param kind `unreachable`: nothing was sent; `cut`: the connection ended before the answer; `slow`: no answer in time;
   *   `unsendable`: the request has fields that the protocol does not allow
   */
  constructor(
    readonly kind: 'unreachable' | 'cut' | 'slow' | 'unsendable',
    message: string,
  ) {
    super(message)
  }
}
