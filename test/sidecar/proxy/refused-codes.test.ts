import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  connect,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FakeClock } from '../../support/client-scheme.js'
import { proxied } from '../../support/proxied.js'
import { fieldsOf, record } from '../../support/recording-server.js'

const path = '/lf.a2a.v1.A2AService/GetTask'

/** An agent with its card over HTTP and this status in the trailers of each gRPC call. Returns its URL and the calls. */
async function grpcAgent(statusOf: () => string) {
  const calls: { headers: IncomingHttpHeaders; content: Buffer }[] = []
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer()
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (stream, headers) => {
    void buffer(stream).then((content) => {
      calls.push({ headers, content })
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': statusOf() }))
      stream.end(Buffer.alloc(5))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const card = await record((_, response) =>
    response.end(
      JSON.stringify({
        name: 'agent',
        supportedInterfaces: [{ url, protocolBinding: 'GRPC', protocolVersion: '1.0' }],
      }),
    ),
  )
  onTestFinished(async () => {
    for (const session of sessions) session.destroy()
    server.close()
    await card[Symbol.asyncDispose]()
  })
  return { origin: card.origin, calls }
}

/** The status of gRPC that a call through the proxy ends with. */
async function call(url: string, content: Buffer, headers: OutgoingHttpHeaders = {}): Promise<unknown> {
  const session = connect(url)
  try {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      ...headers,
    })
    let status: unknown
    stream.on('response', (head) => (status ??= head['grpc-status']))
    stream.on('trailers', (trailers: IncomingHttpHeaders) => (status ??= trailers['grpc-status']))
    stream.end(content)
    await buffer(stream)
    return status
  } finally {
    session.destroy()
  }
}

const framed = (message: Buffer, compressed = false): Buffer => {
  const prefix = Buffer.from([compressed ? 1 : 0, 0, 0, 0, 0])
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

describe('a gRPC call', () => {
  it.each([false, true])(
    'is signed over its message before compression: compressed %s',
    async (compressed) => {
      const agent = await grpcAgent(() => '0')
      const { url, calls } = await proxied(agent.origin)
      const message = Buffer.from('message '.repeat(40))
      const sent = compressed ? framed(gzipSync(message), true) : framed(message)
      expect(await call(url, sent, compressed ? { 'grpc-encoding': 'gzip' } : {})).toBe('0')
      const [seen] = agent.calls
      expect(seen?.content.equals(sent)).toBe(true)
      const digest = createHash('sha256').update(framed(message)).digest('base64')
      expect(seen?.headers['content-digest']).toBe(`sha-256=:${digest}:`)
      expect(seen?.headers['signature-input']).toContain('"content-digest"')
      expect(calls.at(-1)?.proof).toBe('signed')
    },
  )

  it('that is refused in the trailers is a refused code: after three of them no more is sent', async () => {
    const clock = new FakeClock()
    const agent = await grpcAgent(() => '16')
    const { url, proxy } = await proxied(agent.origin, { clock })
    for (let step = 0; step < 3; step++) {
      expect(proxy.ready()).toBeUndefined()
      expect(await call(url, framed(Buffer.from('x')))).toBe('16')
      clock.advance(30)
    }
    await expect.poll(() => proxy.ready()).toMatch(/refuses the credentials/)
    expect(await call(url, framed(Buffer.from('x')))).toBe('14')
    expect(agent.calls).toHaveLength(3)
  })
})

describe('a gRPC call to an agent whose card', () => {
  const truncated = { 'content-length': 1000 }
  it.each([
    ['is not there', 404, {}, '12'],
    ['is withheld while the agent starts', 503, {}, '14'],
    ['comes from a limiter', 429, {}, '14'],
    ['is cut off', 200, truncated, '14'],
    ['is none', 200, {}, '14'],
  ])('%s', async (_, status, headers, expected) => {
    await using agent = await record((__, response) => {
      const cut = headers === truncated
      response.writeHead(status, headers).write('<html>', () => (cut ? response.destroy() : response.end()))
    })
    const { url, calls } = await proxied(agent.origin)
    // The second time as the card was found a moment ago.
    for (let times = 0; times < 2; times++) expect(await call(url, framed(Buffer.from('x')))).toBe(expected)
    const own = expected === '12' ? 'not-found' : 'upstream-answer'
    expect(calls.map((one) => one.own)).toEqual([own, own])
  })

  it('names no gRPC interface', async () => {
    await using agent = await record((_, response) => response.end('{"name":"agent"}'))
    const { url } = await proxied(agent.origin)
    expect(await call(url, framed(Buffer.from('x')))).toBe('12')
  })
})

describe('a request whose code became too old on its way', () => {
  it('is sent once more, with the code of now', async () => {
    const clock = new FakeClock()
    await using agent = await record((_, response) => {
      const isFirst = agent.requests.length === 1
      if (isFirst) clock.advance(60)
      response.writeHead(isFirst ? 401 : 200, { date: clock.now().toUTCString() }).end()
    })
    const { url } = await proxied(agent.origin, { clock, sign: 'never' })
    expect((await fetch(url, { method: 'POST', body: '{"a":1}' })).status).toBe(200)
    const [first, second] = agent.requests
    expect(agent.requests.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}'])
    expect(second && fieldsOf(second, 'x-totp')).toEqual([clock.code()])
    expect(first && fieldsOf(first, 'x-totp')).not.toEqual([clock.code()])
  })
})
