import type { ServerResponse } from 'node:http'
import { drain, http2StreamOf } from '../../server/adapters/drain.js'
import { linesByName, type NodeRequest } from '../../server/adapters/http.js'
import { grpcAnswer, httpAnswer, type HttpAnswer, type Refusal } from '../../server/scheme/refusal.js'
import { refusalCodes } from '../forward/grpc.js'
import { fieldsOfRefusal } from './nginx-fields.js'

type Fields = HttpAnswer['headers']

const noStore = ['Cache-Control', 'no-store'] as const

/**
 * A refusal as the library's guards answer it, byte for byte. To a request of gRPC the body is plain text: a front that
 * turns bodies into a `grpc-message` then passes on what a person can read.
 */
export function refusalAnswer(refusal: Refusal, isGrpc: boolean): HttpAnswer {
  const answer = httpAnswer(refusal)
  if (!isGrpc) return answer
  const headers = answer.headers.filter(([name]) => !/^content-/i.test(name))
  return withBody({ ...answer, headers }, 'text/plain; charset=utf-8', grpcAnswer(refusal).details)
}

/** What nginx is told of a refusal: always 401, and the true answer in fields of its own. */
export function nginxAnswer(refusal: Refusal): HttpAnswer {
  return { status: 401, headers: [...fieldsOfRefusal(refusal), noStore, ['Content-Length', '0']], body: '' }
}

/**
 * The answer to a request of gRPC over HTTP/2: trailers alone. The status of HTTP refuses too, so that a front which takes
 * this for a verdict lets nothing in; `error_page 401 =200` of nginx makes it the 200 that clients of gRPC expect.
 */
export function trailersOnly(refusal: Refusal): HttpAnswer {
  const { status, details, trailers } = grpcAnswer(refusal)
  const headers: Fields = [
    ['content-type', 'application/grpc'],
    ['grpc-status', String(refusalCodes[status])],
    ['grpc-message', details],
    ...trailers,
  ]
  return { status: httpAnswer(refusal).status, headers, body: '' }
}

/** What a front passes on: who called. */
export function acceptedAnswer(identity: Fields): HttpAnswer {
  return { status: 200, headers: [...identity, noStore, ['Content-Length', '0']], body: '' }
}

const ownAnswers = {
  400: { status: 'INVALID_ARGUMENT', message: 'the request could be read in two ways' },
  403: { status: 'PERMISSION_DENIED', message: 'not allowed' },
  404: { status: 'NOT_FOUND', message: 'nothing is served there' },
} as const

/** What has nothing to do with the request that a front holds. */
export function ownAnswer(code: keyof typeof ownAnswers): HttpAnswer {
  const body = JSON.stringify({ error: { code, ...ownAnswers[code] } })
  return withBody({ status: code, headers: [noStore], body }, 'application/json', body)
}

function withBody(answer: HttpAnswer, type: string, body: string): HttpAnswer {
  const length = String(Buffer.byteLength(body))
  const headers: Fields = [...answer.headers, ['Content-Type', type], ['Content-Length', length]]
  return { ...answer, headers, body }
}

/** Sends an answer, and drops what else comes of the sub-request: nobody reads a body here. */
export function send(req: NodeRequest, res: ServerResponse, { status, headers, body }: HttpAnswer): void {
  drain(req, res)
  for (const [name, lines] of linesByName(headers)) res.setHeader(name, lines)
  res.statusCode = status
  if (!http2StreamOf(req)) res.statusMessage = ''
  res.end(req.method === 'HEAD' || body === '' ? undefined : body)
}
