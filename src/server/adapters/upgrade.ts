import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { httpAnswer, type Refusal } from '../scheme/refusal.js'
import { endSocket } from './drain.js'
import { answerRefusal, type NodeRequest } from './http.js'

/**
 * Answers a refused upgrade or CONNECT, and closes its connection. Over HTTP/1.1 the server has let go of the socket, so
 * the answer is written to it; over HTTP/2 a CONNECT has a response.
 */
export function answerUpgrade(req: NodeRequest, out: Duplex | ServerResponse, refusal: Refusal): void {
  if (isResponse(out)) {
    answerRefusal(req, out, refusal)
    return
  }
  if (out.destroyed) return
  const { status, headers, body } = httpAnswer(refusal)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Date: ${new Date().toUTCString()}`,
    'Connection: close',
  ]
  endSocket(out, [...head, '', req.method === 'HEAD' ? '' : body].join('\r\n'))
}

/** Whether a listener was called with a response, as for a request, and not with a socket, as for an upgrade. */
export function isResponse(out: object): out is ServerResponse {
  return 'setHeader' in out && typeof out.setHeader === 'function'
}
