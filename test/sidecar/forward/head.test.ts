import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type ClientHttp2Session } from 'node:http2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { listenMixed, type MixedListener } from '../../../src/service/mixed-listener.js'
import type { RequestHead } from '../../../src/sidecar/forward/exchange.js'
import { readHead, type RefusedHead } from '../../../src/sidecar/forward/head.js'
import { answerJson } from '../../../src/sidecar/forward/pass-on.js'
import { answerTo } from '../../support/raw-socket.js'

const seen: RequestHead[] = []
let listener: MixedListener
let port = 0
beforeAll(async () => {
  listener = await listenMixed({ host: '127.0.0.1', port: 0 }, (req, res) => {
    const head: RequestHead | RefusedHead = readHead(req)
    req.resume()
    if ('refused' in head) {
      answerJson(res, head.refused, 'INVALID_ARGUMENT', head.why)
      return
    }
    seen.push(head)
    res.end('passed')
  })
  port = Number(listener.address.split(':')[1])
})
afterAll(() => listener.stop())
afterEach(() => void seen.splice(0))

const ask = (line: string, ...fields: string[]): Promise<string> =>
  answerTo(port, line, ...fields, 'Connection: close', '', '')
const chunked = '0\r\n\r\n'

describe('the head of a request of HTTP/1.1', () => {
  it('is passed on as it was received', async () => {
    await ask('POST /a/../b%2F?c=%00&d HTTP/1.1', 'hOst: Agent:80', 'X-A: 1', 'x-a: ä', 'Content-Length: 0')
    expect(seen).toEqual([
      {
        method: 'POST',
        target: '/a/../b%2F?c=%00&d',
        authority: 'Agent:80',
        isGrpc: false,
        fields: [
          ...['hOst', 'Agent:80', 'X-A', '1', 'x-a', 'ä', 'Content-Length', '0'],
          ...['Connection', 'close'],
        ],
      },
    ])
  })

  it.each([
    ['two of Host', 'GET / HTTP/1.1', ['Host: a', 'Host: a']],
    ['two of Host that differ', 'GET / HTTP/1.1', ['Host: a', 'host: b']],
    ['two of Host in HTTP/1.0', 'GET / HTTP/1.0', ['Host: a', 'Host: a']],
    ['no Host', 'GET / HTTP/1.1', []],
    ['an empty Host', 'GET / HTTP/1.1', ['Host:']],
    ['a list of Host', 'GET / HTTP/1.1', ['Host: a, b']],
    ['a Host with a path', 'GET / HTTP/1.1', ['Host: a/b']],
    ['a Host with a user', 'GET / HTTP/1.1', ['Host: b@a']],
    ['an absolute form', 'GET http://a/ HTTP/1.1', ['Host: a']],
    ['an absolute form of another host', 'GET http://b/ HTTP/1.1', ['Host: a']],
    ['an absolute form in capitals', 'GET HTTP://a/ HTTP/1.1', ['Host: a']],
    ['an authority form', 'GET a:80 HTTP/1.1', ['Host: a']],
    ['an asterisk form', 'OPTIONS * HTTP/1.1', ['Host: a']],
    ['a fragment', 'GET /a#b HTTP/1.1', ['Host: a']],
    ['a fragment in a query', 'GET /a?b#c HTTP/1.1', ['Host: a']],
    ['a control character in the target', 'GET /a\x01 HTTP/1.1', ['Host: a']],
    ['a character beyond ASCII in the target', 'GET /ä HTTP/1.1', ['Host: a']],
    ['a control character in a field', 'GET / HTTP/1.1', ['Host: a', 'X-A: b\x01c']],
    ['a null in a field', 'GET / HTTP/1.1', ['Host: a', 'X-A: b\0c']],
    ['a bare CR in a field', 'GET / HTTP/1.1', ['Host: a', 'X-A: b\rX-B: c']],
    ['a folded field', 'GET / HTTP/1.1', ['Host: a', 'X-A: b\r\n c']],
    ['a blank before the colon', 'GET / HTTP/1.1', ['Host: a', 'X-A : b']],
    ['another coding than chunked', 'POST / HTTP/1.1', ['Host: a', 'Transfer-Encoding: gzip, chunked']],
    ['chunked twice', 'POST / HTTP/1.1', ['Host: a', 'Transfer-Encoding: chunked, chunked']],
    [
      'chunked in two',
      'POST / HTTP/1.1',
      [...Array<string>(2).fill('Transfer-Encoding: chunked'), 'Host: a'],
    ],
    ['something like chunked', 'POST / HTTP/1.1', ['Host: a', 'Transfer-Encoding: xchunked']],
    ['chunked with a parameter', 'POST / HTTP/1.1', ['Host: a', 'Transfer-Encoding: chunked;a=b']],
    ['identity', 'POST / HTTP/1.1', ['Host: a', 'Transfer-Encoding: identity']],
    ['an empty coding', 'POST / HTTP/1.1', ['Host: a', 'Transfer-Encoding:']],
    ['a coding in HTTP/1.0', 'POST / HTTP/1.0', ['Host: a', 'Transfer-Encoding: chunked']],
    [
      'a length and a coding',
      'POST / HTTP/1.1',
      ['Host: a', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
    ],
    [
      'a coding and a length',
      'POST / HTTP/1.1',
      ['Host: a', 'Transfer-Encoding: chunked', 'Content-Length: 5'],
    ],
    ['two lengths', 'POST / HTTP/1.1', ['Host: a', 'Content-Length: 5', 'Content-Length: 5']],
    ['a list of lengths', 'POST / HTTP/1.1', ['Host: a', 'Content-Length: 5, 5']],
    ['a length with a sign', 'POST / HTTP/1.1', ['Host: a', 'Content-Length: +5']],
    ['a length in hex', 'POST / HTTP/1.1', ['Host: a', 'Content-Length: 0x5']],
    ['a method that begins in capitals', 'Get / HTTP/1.1', ['Host: a']],
    ['a version that does not exist', 'GET / HTTP/1.2', ['Host: a']],
    ['a version of another protocol', 'GET / HTTP/2.0', ['Host: a']],
  ])('is answered with 400: %s', async (_, line, fields) => {
    const answer = await answerTo(port, line, ...fields, 'Connection: close', '', chunked)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).not.toContain('200')
    expect(seen).toEqual([])
  })

  it.each([
    ['chunked in capitals', 'POST / HTTP/1.1', ['Host: a', 'Transfer-Encoding: Chunked']],
    ['an address with a port', 'GET / HTTP/1.1', ['Host: [::1]:80']],
    ['no Host in HTTP/1.0', 'GET / HTTP/1.0', []],
    ['a double slash', 'GET //a HTTP/1.1', ['Host: a']],
    ['a tab in a field', 'GET / HTTP/1.1', ['Host: a', 'X-A: b\tc']],
  ])('passes with %s', async (_, line, fields) => {
    const answer = await answerTo(port, line, ...fields, 'Connection: close', '', chunked)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(seen).toHaveLength(1)
  })

  it('is no head of gRPC, whatever its content type', async () => {
    await ask('POST / HTTP/1.1', 'Host: a', 'Content-Type: application/grpc', 'Content-Length: 0')
    expect(seen.map(({ isGrpc }) => isGrpc)).toEqual([false])
  })
})

/** What readHead says of a head that no parser has looked at before. */
function reasonOf(method: string, target: string, version: string, ...fields: string[]): string | undefined {
  const message = { method, url: target, httpVersion: version, rawHeaders: fields }
  const head = readHead(message as unknown as IncomingMessage)
  return 'refused' in head ? head.why : undefined
}

describe('a head that a parser let through', () => {
  it.each<[why: string, head: [string, string, string, ...string[]]]>([
    ['a field has a control character', ['GET', '/', '1.1', 'Host', 'a', 'X-A', 'b\n']],
    ['a field has a control character', ['GET', '/', '1.1', 'X-A', '\x7f', 'Host', 'a']],
    ['a field has a control character', ['GET', '/', '1.1', 'Host', 'a', 'X-A', '\u0100']],
    ['the method is not in capitals', ['get', '/', '1.1', 'Host', 'a']],
    ['the method is not in capitals', ['GEt', '/', '1.1', 'Host', 'a']],
    ['the method is not in capitals', ['', '/', '1.1', 'Host', 'a']],
    ['the target is not in origin-form: a path, and a query', ['GET', '*', '1.1', 'Host', 'a']],
    ['the target is not in origin-form: a path, and a query', ['GET', '', '1.1', 'Host', 'a']],
    ['the target has a character that has to be encoded', ['GET', '/a b', '1.1', 'Host', 'a']],
    ['the target has a character that has to be encoded', ['GET', '/ä', '1.1', 'Host', 'a']],
    ['the target has a fragment', ['GET', '/a#b', '1.1', 'Host', 'a']],
    ['the version of HTTP is neither 1.1 nor 1.0', ['GET', '/', '1.2', 'Host', 'a']],
    ['the version of HTTP is neither 1.1 nor 1.0', ['GET', '/', '11.1', 'Host', 'a']],
    ['the version of HTTP is neither 1.1 nor 1.0', ['GET', '/', '1.10', 'Host', 'a']],
    [
      'there is a Transfer-Encoding in a request of HTTP/1.0',
      ['GET', '/', '1.0', 'Transfer-Encoding', 'chunked'],
    ],
    [
      'there is a Content-Length beside a Transfer-Encoding',
      ['GET', '/', '1.1', 'Host', 'a', 'Content-Length', '0', 'Transfer-Encoding', 'chunked'],
    ],
    [
      'the Transfer-Encoding is not exactly "chunked"',
      ['GET', '/', '1.1', 'Host', 'a', 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
    ],
    [
      'the Transfer-Encoding is not exactly "chunked"',
      ['GET', '/', '1.1', 'Host', 'a', 'Transfer-Encoding', 'gzip'],
    ],
    [
      'there are two of Content-Length',
      ['GET', '/', '1.1', 'Host', 'a', 'Content-Length', '1', 'Content-Length', '1'],
    ],
    ['the Content-Length is not a number', ['GET', '/', '1.1', 'Host', 'a', 'Content-Length', '1a']],
    ['the Content-Length is not a number', ['GET', '/', '1.1', 'Host', 'a', 'Content-Length', 'a1']],
    ['the Content-Length is not a number', ['GET', '/', '1.1', 'Host', 'a', 'Content-Length', '']],
    ['there has to be one Host, which is a host and an optional port', ['GET', '/', '1.1']],
    ['there has to be one Host, which is a host and an optional port', ['GET', '/', '1.1', 'Host', 'a/b']],
    ['there has to be one Host, which is a host and an optional port', ['GET', '/', '1.1', 'Host', '/a']],
    ['there has to be one Host, which is a host and an optional port', ['GET', '/', '1.0', 'Host', '']],
  ])('is refused all the same: %s', (why, head) => {
    expect(reasonOf(...head)).toBe(why)
  })

  it('is right with every character that it may have', () => {
    const fields = ['Host', "aZ0.-_~!$&'()*+,;=%[::1]:80", 'Content-Length', '12', 'X-A', '\t ~\x80\xff']
    expect(reasonOf("AZ09!#$%&'*+.^_`|~-", '/!~?a%20', '1.1', ...fields)).toBeUndefined()
    expect(reasonOf('GET', '/', '1.0')).toBeUndefined()
    expect(reasonOf('POST', '/', '1.1', 'Host', 'a', 'Transfer-Encoding', ' CHUNKED ')).toBeUndefined()
  })
})

describe('the head of a request of HTTP/2', () => {
  let session: ClientHttp2Session
  beforeAll(() => {
    session = connect(`http://127.0.0.1:${port}`)
  })
  afterAll(() => session.destroy())

  const statusOf = async (headers: Record<string, string | string[]>): Promise<unknown> => {
    const stream = session.request({ ':path': '/', ':authority': 'agent', ...headers })
    const [answered] = (await once(stream, 'response')) as [Record<string, unknown>]
    return answered[':status']
  }

  it('has its authority in its pseudo-field, which is none of the fields', async () => {
    expect(await statusOf({ ':path': '/a?b', 'x-a': ['1', '2'] })).toBe(200)
    expect(seen).toEqual([
      { method: 'GET', target: '/a?b', authority: 'agent', isGrpc: false, fields: ['x-a', '1', 'x-a', '2'] },
    ])
  })

  it.each([
    ['a Host that differs', { host: 'other' }],
    ['an authority with a user', { ':authority': 'a@b' }],
    ['a fragment', { ':path': '/a#b' }],
    ['an asterisk form', { ':method': 'OPTIONS', ':path': '*' }],
    ['a character beyond ASCII in the target', { ':path': '/ä' }],
  ])('is answered with 400: %s', async (_, headers) => {
    const status = await statusOf(headers as Record<string, string>).catch(() => 400)
    expect([status, seen]).toEqual([400, []])
  })

  it.each([
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['Application/gRPC; a=b', true],
    ['application/grpc-web', false],
    ['application/grpcx', false],
    ['application/json', false],
  ])('with %s as content type is of gRPC: %s', async (type, isGrpc) => {
    expect(await statusOf({ ':method': 'POST', 'content-type': type, host: 'Agent' })).toBe(200)
    expect(seen.map((head) => head.isGrpc)).toEqual([isGrpc])
  })
})
