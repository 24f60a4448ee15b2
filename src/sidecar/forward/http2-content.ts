import { constants, type ClientHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'

/**
 * The content of an answer of HTTP/2. Node ends a stream that was reset as if it was whole, and resets one that is destroyed
 * as if that was its end; this one fails, and cancels.
 */
export class Http2Content extends Readable {
  readonly #stream: ClientHttp2Stream
  /** Set when trailers have come, which are the end, whatever comes then. */
  isComplete = false

  constructor(stream: ClientHttp2Stream) {
    super()
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause()
    })
    stream.pause()
    stream.once('end', () => {
      if (this.isComplete || stream.rstCode === constants.NGHTTP2_NO_ERROR) this.push(null)
      else this.#fail()
    })
    stream.once('close', () => {
      if (!stream.readableEnded) this.#fail()
    })
  }

  #fail(): void {
    this.destroy(new Error('the server behind has cut its answer off'))
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // The end of the answer is the end of the call, whatever of the request is still on its way (RFC 9113 §8.1).
    if (!this.readableEnded) this.#stream.close(constants.NGHTTP2_CANCEL)
    else if (!this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR)
    done(error)
  }
}
