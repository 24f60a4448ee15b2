import { constants, type ClientHttp2Stream } from 'node:http2'
import { addAbortSignal, Readable } from 'node:stream'
import type { RawFields } from './fields.js'

/**
 * The content of an answer of HTTP/2. Node ends a stream that was reset as if it was whole, and resets one that is destroyed
 * as if that was its end; this one fails, and cancels.
 */
export class Http2Content extends Readable {
  readonly #stream: ClientHttp2Stream
  #trailers: RawFields | undefined

  constructor(stream: ClientHttp2Stream) {
    super()
    this.#stream = stream
    // Who takes the content may not listen yet.
    this.on('error', () => undefined)
    stream.once('trailers', (_headers, _flags, ...raw: unknown[]) => (this.#trailers = rawOf(raw[0])))
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause()
    })
    stream.pause()
    stream.once('end', () => {
      // Trailers are the end, whatever comes then.
      if (this.#trailers || stream.rstCode === constants.NGHTTP2_NO_ERROR) this.push(null)
      else this.#fail()
    })
    stream.once('close', () => {
      if (!stream.readableEnded) this.#fail()
    })
  }

  /** Once the content has ended. */
  get trailers(): RawFields {
    return this.#trailers ?? []
  }

  #fail(): void {
    this.destroy(new Error('the server behind has cut its answer off'))
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // The end of the answer is the end of the call, whatever of the request is still on its way (RFC 9113 §8.1).
    if (!this.readableEnded) cancel(this.#stream)
    else if (!this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR)
    done(error)
  }
}

/** Node gives the fields of HTTP/2 as a list too, as the last argument of its events. */
export function rawOf(raw: unknown): string[] {
  return Array.isArray(raw) ? (raw as string[]) : []
}

const aborted = AbortSignal.abort()

/** Resets a stream. `close` of a request that is still being sent would end it first, as if that was all. */
export function cancel(stream: ClientHttp2Stream): void {
  if (!stream.destroyed) addAbortSignal(aborted, stream)
}
