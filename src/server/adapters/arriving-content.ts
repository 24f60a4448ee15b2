import { isBare } from '../../core/proof/no-content.js'
import { http2StreamOf } from './drain.js'
import type { NodeRequest } from './http.js'

/** The longest content that is held for methods that usually have none, in bytes. */
export const longestHeld = 1024 * 1024

/** What is used of the inside of a stream of Node's. */
export interface Inside {
  readonly _readableState?: { readonly buffer?: Iterable<unknown>; readonly ended?: boolean }
  /** Set when Node drops the rest of a body that nobody has read, after the answer. */
  readonly _dumped?: boolean
}

/**
 * What lies in the stream already, if nobody has read from it.
 *
 * @returns undefined if it cannot be seen
 */
export function bufferedOf(req: NodeRequest): Buffer[] | undefined {
  if (req.readableDidRead) return undefined
  if (req.readableLength === 0) return []
  const chunks = Array.from((req as Inside)._readableState?.buffer ?? [])
  const buffers = chunks.filter((chunk) => Buffer.isBuffer(chunk))
  const length = buffers.reduce((sum, chunk) => sum + chunk.length, 0)
  return buffers.length === chunks.length && length === req.readableLength ? buffers : undefined
}

/** Whether a request may have a content: it announces one, or comes from an adapter that announces nothing. */
export function isAnnounced(req: NodeRequest): boolean {
  const stream = http2StreamOf(req)
  if (stream) return !stream.endAfterHeaders
  if (!req.rawHeaders?.length) return true
  const { headers = {} } = req
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}

/**
 * How much of a content is held until it is compared, in bytes; 0 if none is. A short content of other methods fits into
 * the stream's own buffer, and would be read there as a whole anyway. A client that sends `Expect` may wait until the
 * handler tells it to continue, so nothing of its content is waited for.
 */
export function mostHeldOf(req: NodeRequest): number {
  if (isBare(req.method ?? '')) return longestHeld
  const { headers = {} } = req
  if (headers['expect'] !== undefined || headers['transfer-encoding'] !== undefined) return 0
  const length = Number(headers['content-length'] ?? 0)
  return length > 0 && length <= req.readableHighWaterMark ? length : 0
}
