import type { IncomingMessage } from 'node:http'
import { http2StreamOf } from '../../server/adapters/drain.js'
import type { RequestHead } from './exchange.js'
import { linesOf, withoutFields } from './fields.js'
import { isGrpcType } from './grpc.js'

/** Why a request is answered with 400. */
export interface RefusedHead {
  readonly refused: 400
  /** In plain words, without anything from the request. */
  readonly why: string
}

/** A token (RFC 9110 §9.1) in capitals: node:http makes any other one that, and `trace` is another method than TRACE. */
const method = /^[A-Z\d!#$%&'*+.^_`|~-]+$/
const visible = /^[!-~]+$/
/** Of a field's value: no control characters but tab (RFC 9110 §5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
/** A name or an address with an optional port: nothing that a URL could mean otherwise. */
const host = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]+$/

/**
 * Reads the head of a request, and refuses what two servers could read in two ways: RFC 9112 §3.2 and §6.3, and for HTTP/2
 * RFC 9113 §8.3.1.
 *
 * @param req of node:http, or of node:http2 in the shape of that
 */
export function readHead(req: IncomingMessage): RequestHead | RefusedHead {
  // Not by the version: a request of HTTP/1.1 may name any.
  const isHttp2 = http2StreamOf(req) !== undefined
  const raw = req.rawHeaders
  const fields = isHttp2 ? withoutFields(raw, (name) => name.startsWith(':')) : raw
  for (let place = 1; place < fields.length; place += 2) {
    if (!fieldValue.test(fields[place] ?? '')) return refuse('a field has a control character')
  }
  if (!method.test(req.method ?? '')) return refuse('the method is not in capitals')
  const target = req.url ?? ''
  if (!target.startsWith('/')) return refuse('the target is not in origin-form: a path, and a query')
  if (!visible.test(target)) return refuse('the target has a character that has to be encoded')
  if (target.includes('#')) return refuse('the target has a fragment')
  if (!isHttp2 && !/^1\.[01]$/.test(req.httpVersion))
    return refuse('the version of HTTP is neither 1.1 nor 1.0')
  const framing = isHttp2 ? undefined : badFraming(req.httpVersion, fields)
  if (framing !== undefined) return refuse(framing)
  const authority = authorityOf(isHttp2 ? linesOf(raw, ':authority') : [], linesOf(fields, 'host'))
  if (
    authority === undefined &&
    (isHttp2 || req.httpVersion !== '1.0' || linesOf(fields, 'host').length > 0)
  ) {
    return refuse('there has to be one Host, which is a host and an optional port')
  }
  const isGrpc = isHttp2 && linesOf(fields, 'content-type').some(isGrpcType)
  return { method: req.method ?? '', target, fields, authority: authority ?? '', isGrpc }
}

function refuse(why: string): RefusedHead {
  return { refused: 400, why }
}

function badFraming(version: string, fields: readonly string[]): string | undefined {
  const encodings = linesOf(fields, 'transfer-encoding')
  const lengths = linesOf(fields, 'content-length')
  if (encodings.length > 0) {
    if (version === '1.0') return 'there is a Transfer-Encoding in a request of HTTP/1.0'
    if (lengths.length > 0) return 'there is a Content-Length beside a Transfer-Encoding'
    if (encodings.length > 1 || encodings[0]?.trim().toLowerCase() !== 'chunked') {
      return 'the Transfer-Encoding is not exactly "chunked"'
    }
  }
  if (lengths.length > 1) return 'there are two of Content-Length'
  if (lengths.some((length) => !/^\d+$/.test(length))) return 'the Content-Length is not a number'
  return undefined
}

/** Undefined unless there is exactly one, or the two are the same. */
function authorityOf(pseudo: readonly string[], hosts: readonly string[]): string | undefined {
  const [first, ...others] = [...pseudo, ...hosts]
  if (first === undefined || hosts.length > 1 || !host.test(first)) return undefined
  return others.every((other) => other.toLowerCase() === first.toLowerCase()) ? first : undefined
}
