import type { IncomingMessage, ServerResponse } from 'node:http'
import { cancel, drainStream, http2StreamOf } from '../../server/adapters/drain.js'
import { grpcAnswer, type Refusal } from '../../server/scheme/refusal.js'
import { pairsOf, type RawFields } from '../forward/fields.js'
import { refusalCodes } from '../forward/grpc.js'

/** Answers a refused gRPC call with nothing but trailers, before its messages are read. */
export function refuseGrpc(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  const { status, details, trailers } = grpcAnswer(refusal)
  answer(req, res, ['grpc-status', String(refusalCodes[status]), 'grpc-message', details, ...trailers.flat()])
}

/** The same once the call was let in, because of its content. An answer that has begun is cut off. */
export function refuseGrpcLate(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  if (res.headersSent) http2StreamOf(res)?.close(cancel)
  else refuseGrpc(req, res, refusal)
}

/** The trailers of a stream whose caller's credentials have ended: they tell a client to come again with others. */
export const endedTrailers: RawFields = [
  ...['grpc-status', String(refusalCodes.UNAUTHENTICATED)],
  ...['grpc-message', 'the credentials that opened this stream are no longer valid'],
]

/** Ends a call that has no answer yet, and whose caller's credentials have ended. */
export function endCall(req: IncomingMessage, res: ServerResponse): void {
  answer(req, res, endedTrailers)
}

/** Answers a call that was let in, to an agent that has no gRPC. */
export function answerUnimplemented(req: IncomingMessage, res: ServerResponse): void {
  answer(req, res, ['grpc-status', '12', 'grpc-message', 'the agent has no gRPC'])
}

function answer(req: IncomingMessage, res: ServerResponse, trailers: RawFields): void {
  const stream = http2StreamOf(req)
  if (!res.headersSent && !res.destroyed) {
    const lines = new Map<string, string[]>()
    for (const [name, value] of pairsOf(trailers)) lines.set(name, [...(lines.get(name) ?? []), value])
    res.statusCode = 200
    res.setHeader('content-type', 'application/grpc')
    for (const [name, values] of lines) res.setHeader(name, values.length === 1 ? (values[0] ?? '') : values)
    res.end()
  }
  // Not NO_ERROR, which leaves the stream open at a client on Node that is still sending.
  if (stream) drainStream(stream, cancel)
}
