import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import { cut } from '../../server/adapters/open-answers.js'
import { http2StreamOf } from '../../server/adapters/drain.js'
import type { IncomingAnswer } from './exchange.js'
import { endToEnd, groupOf, linesOf, pairsOf, type RawFields } from './fields.js'
import { isGrpcType } from './grpc.js'

/**
 * The content of a request, which nobody has asked for until it is read, and which fails if the client goes away.
 *
 * @returns undefined if the request announces none
 */
export function contentOf(req: IncomingMessage): Readable | undefined {
  const stream = http2StreamOf(req)
  if (stream) {
    if (stream.endAfterHeaders) return undefined
    failIfReset(req, stream)
    return req
  }
  const { rawHeaders } = req
  const isAnnounced =
    linesOf(rawHeaders, 'transfer-encoding').length > 0 ||
    linesOf(rawHeaders, 'content-length').some((length) => Number(length) !== 0)
  return isAnnounced ? req : undefined
}

/** For node:http2 the end of a stream that was reset is the end of its content. */
function failIfReset(req: IncomingMessage, stream: ServerHttp2Stream): void {
  const fail = (): void => void req.destroy(new Error('the client has cut its request off'))
  const push = req.push.bind(req)
  req.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    const isReset = stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR
    if (chunk !== null || !isReset) return push(chunk, encoding)
    fail()
    return false
  }
  req.once('aborted', fail)
  // Who takes the content may not listen yet.
  req.on('error', () => undefined)
}

/** The trailers of a request, once its content has ended. */
export function trailersOf(req: IncomingMessage): () => RawFields {
  return () => req.rawTrailers
}

/** The reason to abort what a call has begun. Made once: without a reason each abort makes an error, with its stack. */
export const over = new Error('the call is over')

/** Aborts once nobody waits for the answer any more: it was sent, or the client has gone. */
export function callOver(res: ServerResponse): AbortSignal {
  const controller = new AbortController()
  if (res.destroyed) controller.abort(over)
  else res.once('close', () => controller.abort(over))
  return controller.signal
}

/** How an answer ended: `whole`, `cut` by the server behind, `unusable` by its head, or the client has `left`. */
export type PassedOn = 'whole' | 'cut' | 'unusable' | 'left'

/**
 * Passes an answer on as it arrives. An answer that is cut off is cut off here too, so that a part does not look like the
 * whole.
 *
 * @param fields instead of the answer's own; fields of one connection are left out of either
 */
export function passOn(answer: IncomingAnswer, res: ServerResponse, fields?: RawFields): Promise<PassedOn> {
  const { content } = answer
  return new Promise((done) => {
    if (res.destroyed || res.writableEnded) {
      content.destroy()
      done('left')
      return
    }
    const onCut = (): void => {
      done('cut')
      if (res.headersSent) cut(res)
      else answerJson(res, 502, 'UNAVAILABLE', 'the server behind has cut its answer off')
    }
    if (content.destroyed && !content.readableEnded) {
      onCut()
      return
    }
    content.once('error', onCut)
    res.once('close', () => {
      const isWhole = res.writableFinished
      if (!isWhole) content.destroy()
      done(isWhole ? 'whole' : 'left')
    })
    res.once('finish', () => done('whole'))
    try {
      writeHead(answer, res, endToEnd(fields ?? answer.fields))
    } catch {
      content.off('error', onCut).on('error', () => undefined)
      content.destroy()
      done('unusable')
      if (!res.headersSent)
        answerJson(res, 502, 'BAD_GATEWAY', 'the answer has a head that cannot be passed on')
      else cut(res)
      return
    }
    if (answer.isBare === true) {
      res.end()
      return
    }
    // The head goes out with the first bytes of the content if they are here already, else alone.
    if (content.readableLength === 0) {
      setImmediate(() => {
        if (!res.writableEnded && !res.destroyed) res.flushHeaders()
      })
    }
    content.on('data', (chunk: Buffer) => {
      if (!res.write(chunk)) {
        content.pause()
        res.once('drain', () => content.resume())
      }
    })
    content.once('end', () => {
      addTrailers(res, answer.trailers())
      res.end()
    })
  })
}

/** The end of an HTTP/2 answer without content is in its head, which is written with `end` then. */
function writeHead({ status, isBare }: IncomingAnswer, res: ServerResponse, fields: RawFields): void {
  // Nobody asked for another protocol, and what follows would be the next answer to the client (RFC 9110 §15.2.2).
  if (status < 200) throw new RangeError('no final status')
  if (!http2StreamOf(res)) {
    res.writeHead(status, [...fields])
    return
  }
  res.statusCode = status
  for (const [name, value] of Object.entries(groupOf(fields))) res.setHeader(name, value)
  if (isBare !== true) res.writeHead(status)
}

function addTrailers(res: ServerResponse, trailers: RawFields): void {
  const fields = endToEnd(trailers)
  if (fields.length === 0) return
  if (http2StreamOf(res)) res.addTrailers(groupOf(fields))
  else res.addTrailers([...pairsOf(fields)] as never)
}

/** The status codes of gRPC for those of HTTP. */
const grpcStatus: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 12,
  413: 8,
  429: 8,
  502: 14,
  503: 14,
  504: 4,
}
const unknown = 2

/**
 * Answers a request itself, with `{"error": {code, status, message}}`; a gRPC request with a status and a message and
 * nothing else.
 *
 * @param code as `UNAVAILABLE`, for the `status` of the error
 * @param fields more of them, as `Retry-After`
 */
export function answerJson(
  res: ServerResponse,
  status: number,
  code: string,
  message: string,
  fields: RawFields = [],
): void {
  if (res.headersSent || res.destroyed) return
  const { req } = res
  for (const [name, value] of Object.entries(groupOf(fields))) res.setHeader(name, value)
  if (http2StreamOf(res) && isGrpcType(req.headers['content-type'] ?? '')) {
    res.statusCode = 200
    res.setHeader('content-type', 'application/grpc')
    res.setHeader('grpc-status', String(grpcStatus[status] ?? unknown))
    res.setHeader(
      'grpc-message',
      message.replace(/[^ -$&-~]/g, (char) => encodeURIComponent(char)),
    )
    res.end()
    return
  }
  // Where the next request begins may be told in two ways, too.
  if (status === 400) res.shouldKeepAlive = false
  const body = JSON.stringify({ error: { code: status, status: code, message } })
  res.statusCode = status
  res.setHeader('Content-Type', 'application/json')
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.setHeader('Cache-Control', 'no-store')
  res.end(req.method === 'HEAD' ? undefined : body)
}
