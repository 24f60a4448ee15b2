import type { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex, Readable } from 'node:stream'

/** How many bytes of a refused request's body are read and dropped, so that its sender gets to see the answer. */
const longestDrain = 1024 * 1024

/** For how long, so that a client that sends slowly, or never ends its body, does not hold a connection. */
const drainMs = 5000

/** How long a client has to read an answer that was sent just before its connection is closed. */
const lingerMs = 500

/** Error codes of RFC 9113 §7. */
const noError = 0x0
export const cancel = 0x8

/** Its body, and whether all of it was received. */
type RefusedRequest = Readable & { readonly complete?: boolean }

/**
 * Reads and drops the rest of a refused request's body. If it is too long or takes too long, the connection is closed;
 * over HTTP/2, only the stream of this request.
 */
export function drain(req: RefusedRequest, res: ServerResponse): void {
  const stream = http2StreamOf(req)
  if (stream) drainStream(stream, noError, req)
  else drainMessage(req, res)
}

/** The HTTP/2 stream of a request, as node:http2 adds it to requests. */
export function http2StreamOf(req: object): ServerHttp2Stream | undefined {
  const { stream } = req as { readonly stream?: Partial<ServerHttp2Stream> }
  return isHttp2Stream(stream) ? stream : undefined
}

export function isHttp2Stream(stream: unknown): stream is ServerHttp2Stream {
  const { close, respond } = (stream ?? {}) as Partial<ServerHttp2Stream>
  return typeof close === 'function' && typeof respond === 'function'
}

/**
 * Answers of one connection leave in the order of its requests, so this one may have to wait. Nothing is closed before it
 * has left: that would cut off the answers in front of it.
 */
function drainMessage(req: RefusedRequest, res: ServerResponse): void {
  const hangUp = (): void => void req.destroy()
  let isTooLong = false
  countBytes(req, () => {
    isTooLong = true
    if (res.writableFinished) hangUp()
    else req.pause()
  })
  const onAnswered = (): void => {
    // Closing with bytes unread resets the connection, and takes answers that the client has not read yet with it.
    if (isTooLong) inTime(req, hangUp, lingerMs)
    else if (!req.complete) inTime(req, hangUp)
  }
  if (res.writableFinished) onAnswered()
  else res.once('finish', onAnswered)
}

/**
 * Reads and drops the rest of a refused request's stream, and closes the stream if that is too long or takes too long:
 * after the complete answer, unless the client does not take that in time.
 *
 * @param code NO_ERROR asks the client to stop sending, and to keep the answer (RFC 9113 §8.1)
 * @param body what the stream is read through
 */
export function drainStream(stream: ServerHttp2Stream, code: number, body: Readable = stream): void {
  if (stream.destroyed) return
  const closeOnceAnswered = (): void => {
    if (stream.writableFinished) {
      stream.close(code)
      return
    }
    body.pause()
    stream.once('finish', () => {
      body.resume()
      stream.close(code)
    })
  }
  countBytes(body, closeOnceAnswered)
  inTime(stream, () => {
    if (stream.writableEnded && !stream.writableFinished) stream.close(cancel)
    else closeOnceAnswered()
  })
}

/** Writes the last bytes to a socket, and drops what still comes. The socket is closed within the same limits. */
export function endSocket(socket: Duplex, lastBytes: string): void {
  const hangUp = (): void => void socket.destroy()
  countBytes(socket, hangUp)
  inTime(socket, hangUp)
  socket.end(lastBytes)
}

function countBytes(body: Readable, onTooLong: () => void): void {
  let rest = longestDrain
  body.on('data', (chunk: Buffer) => {
    if (rest < 0) return
    rest -= chunk.length
    if (rest < 0) onTooLong()
  })
  body.on('error', () => undefined)
}

/** Calls back after a while, unless the stream has ended or closed by then. */
function inTime(stream: Readable, onTooLate: () => void, ms = drainMs): void {
  const timer = setTimeout(onTooLate, ms)
  timer.unref()
  stream.once('close', () => clearTimeout(timer))
}
