import type { ServerResponse } from 'node:http'
import type { Refusal } from '../scheme/refusal.js'
import { http2StreamOf } from './drain.js'
import { writeRefusal, type NodeRequest } from './http.js'
import { cut } from './open-answers.js'

/**
 * Fields that a handler may have set before it read the content, and that say something of its answer, or are secrets for
 * its caller.
 */
export const ofAnswers = [
  'accept-ranges',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'etag',
  'last-modified',
  'set-cookie',
  'trailer',
  'transfer-encoding',
] as const

/**
 * Answers a request that was let in, and whose content then turned out to be another one, and closes its connection after
 * the answer. An answer that its handler has begun is cut off instead.
 *
 * The handler's read stays open. What it still wants to answer is dropped.
 */
export function refuseLate(req: NodeRequest, res: ServerResponse, refusal: Refusal): void {
  if (res.headersSent) {
    if (!res.writableFinished) cut(res)
    return
  }
  for (const name of ofAnswers) res.removeHeader(name)
  // HTTP/2 has no such field, and closes the stream by itself.
  if (!http2StreamOf(req)) res.setHeader('Connection', 'close')
  writeRefusal(req, res, refusal)
  silence(res)
}

/** A handler does not know that its request was answered, and writing to a finished answer throws. */
function silence(res: ServerResponse): void {
  const same = (): ServerResponse => res
  const ignored = {
    setHeader: same,
    setHeaders: same,
    appendHeader: same,
    removeHeader: same,
    writeHead: same,
    flushHeaders: same,
    write: () => true,
    end: same,
  }
  Object.assign(res, ignored)
}
