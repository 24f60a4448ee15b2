import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import {
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { grpcUpstream, httpUpstream } from '../../../src/sidecar/forward/upstream.js'
import { listening } from '../../support/listening.js'
import { bytesHeld } from '../../support/memory.js'
import { ownTime } from '../../support/own-time.js'
import { plainProxy, type PlainProxy } from '../../support/plain-proxy.js'
import { RawSocket } from '../../support/raw-socket.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(server: Server): Promise<URL> {
  const up = await listening(server)
  cleanups.push(() => up[Symbol.asyncDispose]())
  return new URL(`http://127.0.0.1:${up.port}`)
}

/** A proxy in front of an agent of node:http. */
async function over1(agent: RequestListener): Promise<PlainProxy> {
  const upstream = httpUpstream(await serve(createServer(agent)))
  const proxy = await plainProxy(upstream)
  cleanups.push(
    () => upstream.close(),
    () => proxy.stop(),
  )
  return proxy
}

/** A proxy in front of an agent of node:http2. */
async function over2(
  agent: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<PlainProxy> {
  const server = createHttp2Server()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    agent(stream, headers)
  })
  const upstream = grpcUpstream(await serve(server))
  const proxy = await plainProxy(upstream)
  cleanups.push(
    () => upstream.close(),
    () => proxy.stop(),
  )
  return proxy
}

function raw(port: number): RawSocket {
  const socket = new RawSocket({ port })
  cleanups.push(() => socket.socket.destroy())
  return socket
}

function h2(port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  cleanups.push(() => session.destroy())
  return session
}

const call = (port: number, headers: Record<string, string> = {}, options = {}): ClientHttp2Stream =>
  h2(port).request(
    { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc', ...headers },
    options,
  )
const heads = async (
  stream: ClientHttp2Stream,
): Promise<[IncomingHttpHeaders & { ':status'?: number }, number]> =>
  (await once(stream, 'response')) as never
const closed = (emitter: NodeJS.EventEmitter): Promise<unknown> =>
  new Promise((done) => emitter.on('error', () => undefined).once('close', done))
/** Within which an abort has to be seen. */
const soonMs = 1000
const msOf = async (over: Promise<unknown>): Promise<number> => {
  const spent = ownTime()
  await over
  return spent()
}

describe('a request of HTTP/1.1', () => {
  it('arrives with its fields as they were, without those of its connection', async () => {
    const proxy = await over1((req, res) => res.end(JSON.stringify(req.rawHeaders)))
    const socket = raw(proxy.port).say(
      'POST /x?y=1 HTTP/1.1',
      'hOst: agent',
      'X-A: 1',
      'TE: trailers',
      'Connection: X-Named, close',
      'X-Named: 1',
      'Keep-Alive: 1',
      'Proxy-Authorization: 1',
      'x-a: 2',
      'Content-Length: 0',
      '',
      '',
    )
    const [, body = ''] = (await socket.over).split('\r\n\r\n')
    expect((JSON.parse(body) as string[]).slice(2)).toEqual([
      ...['X-A', '1', 'x-a', '2', 'Content-Length', '0', 'Connection', 'keep-alive'],
    ])
  })

  it.each([
    ['with a length', 'Content-Length: 5', 'hello'],
    ['in chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ])('arrives with its content, %s, also where there usually is none', async (_, field, content) => {
    const proxy = await over1((req, res) => {
      void text(req).then((body) => res.end(`${req.method} ${field.split(':')[0]?.toLowerCase()} ${body}`))
    })
    for (const method of ['POST', 'GET', 'DELETE']) {
      const said = raw(proxy.port).say(
        `${method} / HTTP/1.1`,
        'Host: a',
        field,
        'Connection: close',
        '',
        content,
      )
      expect(await said.over).toMatch(/(content-length|transfer-encoding) hello/)
    }
  })

  it('passes trailers both ways', async () => {
    const proxy = await over1((req, res) => {
      res.writeHead(200, { Trailer: 'x-last' })
      void text(req).then((body) => {
        res.addTrailers([['x-last', `${body} ${req.rawTrailers.join('=')}`]])
        res.end('done')
      })
    })
    const socket = raw(proxy.port).say(
      'POST / HTTP/1.1',
      'Host: a',
      'Transfer-Encoding: chunked',
      'Connection: close',
      '',
      '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
    )
    expect(await socket.over).toMatch(/done\r\n0\r\nx-last: hello X-Sum=1\r\n\r\n$/)
  })

  it('is answered with the head of the agent, redirects too, and never with an informational one', async () => {
    const proxy = await over1((_req, res) => {
      res.writeEarlyHints({ link: '</a>; rel=preload' })
      res.writeProcessing()
      res.writeHead(302, ['Location', 'http://127.0.0.1:1/', 'Set-Cookie', 'a', 'Set-Cookie', 'b'])
      res.end()
    })
    const answer = await raw(proxy.port).say('GET / HTTP/1.1', 'Host: a', 'Connection: close', '', '').over
    expect(answer).toMatch(
      /^HTTP\/1\.1 302 Found\r\nLocation: http:\/\/127\.0\.0\.1:1\/\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n/,
    )
  })

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('of %s may have an answer of %i without content', async (method, status) => {
    const proxy = await over1((_req, res) => {
      res.writeHead(status, { ETag: '"1"', ...(status === 200 && { 'Content-Length': 1000 }) })
      res.end()
    })
    const answer = await raw(proxy.port).say(`${method} / HTTP/1.1`, 'Host: a', 'Connection: close', '', '')
      .over
    expect(answer).toContain(`HTTP/1.1 ${status}`)
    expect(answer).toMatch(/ETag: "1"[^]*\r\n\r\n$/)
    expect(answer.includes('Content-Length: 1000')).toBe(status === 200)
    const stream = h2(proxy.port).request({ ':method': method, ':path': '/' })
    const [head] = await heads(stream)
    expect([head[':status'], await text(stream)]).toEqual([status, ''])
  })

  it('has its Expect answered once the agent takes the content', async () => {
    const proxy = await over1((req, res) => {
      void text(req).then((body) => res.end(`${req.headers.expect ?? 'no Expect'} ${body}`))
    })
    const socket = raw(proxy.port).say(
      'POST / HTTP/1.1',
      ...['Host: a', 'Expect: 100-continue', 'Content-Length: 5', 'Connection: close', '', ''],
    )
    await socket.hears('100 Continue')
    expect(await socket.say('hello').over).toContain('no Expect hello')
  })

  it('never has its content asked for if the agent cannot be reached', async () => {
    const gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    const proxy = await plainProxy(httpUpstream(new URL(`http://127.0.0.1:${gone.port}`)))
    cleanups.push(() => proxy.stop())
    const socket = raw(proxy.port).say(
      'POST / HTTP/1.1',
      'Host: a',
      'Expect: 100-continue',
      'Content-Length: 5',
      '',
      '',
    )
    expect(await socket.hears('}}')).toMatch(/^HTTP\/1\.1 502 /)
    expect(proxy.ends).toEqual(['unreachable'])
  })

  it('with events has each of them passed on at once', async () => {
    let agentSays: (text: string) => void = () => undefined
    const proxy = await over1((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.flushHeaders()
      agentSays = (text) => void res.write(text)
    })
    const socket = raw(proxy.port).say('GET / HTTP/1.1', 'Host: a', '', '')
    expect(await socket.hears('\r\n\r\n')).toContain('text/event-stream')
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      const heard = socket.hears(event)
      agentSays(event)
      expect(await msOf(heard)).toBeLessThan(soonMs)
    }
  })
})

describe('a call of gRPC', () => {
  it('has its messages, metadata and trailers passed on, both ways as they come', async () => {
    const proxy = await over2((stream, headers) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'x-te': headers['te'] },
        { waitForTrailers: true },
      )
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-two': ['a', 'b'] }))
      stream.pipe(stream)
    })
    const stream = call(proxy.port, { te: 'trailers' })
    const trailers = once(stream, 'trailers') as Promise<[IncomingHttpHeaders]>
    for (const part of ['one', 'two', 'three']) {
      stream.write(part)
      const [heard] = (await once(stream, 'data')) as [Buffer]
      expect(String(heard)).toBe(part)
    }
    stream.end()
    stream.resume()
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0', 'x-two': 'a, b' })
  })

  it('may be answered by trailers alone, which stay the one frame they are', async () => {
    const proxy = await over2((stream) => {
      stream.respond({ ':status': 200, 'grpc-status': '5', 'grpc-message': 'none' }, { endStream: true })
    })
    const stream = call(proxy.port).resume()
    stream.end()
    const [head, flags] = await heads(stream)
    expect(head).toMatchObject({ 'grpc-status': '5', 'grpc-message': 'none' })
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0)
  })

  it('is answered with a status of gRPC if the agent cannot be reached', async () => {
    const gone = await listening(createServer())
    await gone[Symbol.asyncDispose]()
    const proxy = await plainProxy(grpcUpstream(new URL(`http://127.0.0.1:${gone.port}`)))
    cleanups.push(() => proxy.stop())
    const stream = call(proxy.port).resume()
    const [head, flags] = await heads(stream)
    expect(head).toMatchObject({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' })
    expect(head['grpc-message']).toMatch(/^the server behind cannot be reached/)
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0)
  })

  it('is one of more than a connection to the agent takes', async () => {
    const server = createHttp2Server({ settings: { maxConcurrentStreams: 2 } })
    let most = 0
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 })
      stream.write('open')
    })
    server.on('session', () => most++)
    const upstream = grpcUpstream(await serve(server))
    const proxy = await plainProxy(upstream)
    cleanups.push(
      () => proxy.stop(),
      () => upstream.close(),
    )
    const session = h2(proxy.port)
    for (let one = 0; one < 7; one++) {
      const stream = session.request({ ':method': 'POST', ':path': '/', 'content-type': 'application/grpc' })
      await once(stream, 'data')
    }
    expect(most).toBeGreaterThanOrEqual(4)
  })

  it('goes over a new connection after the agent has closed the last one', async () => {
    const server = createHttp2Server()
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 })
      stream.end('served')
    })
    let sessions = 0
    server.on('session', (session) => {
      sessions++
      session.once('stream', (stream: ServerHttp2Stream) => stream.once('close', () => session.close()))
    })
    const upstream = grpcUpstream(await serve(server))
    const proxy = await plainProxy(upstream)
    cleanups.push(
      () => proxy.stop(),
      () => upstream.close(),
    )
    for (let one = 0; one < 20; one++) expect(await text(call(proxy.port).end())).toBe('served')
    expect(sessions).toBeGreaterThan(1)
  })
})

const sides = {
  'HTTP/1.1': async (agent: (res: ServerResponse, req: IncomingMessage) => void) =>
    over1((req, res) => agent(res, req)),
  'HTTP/2': async (agent: (res: ServerResponse, req: IncomingMessage) => void) => {
    const server = createHttp2Server((req, res) => {
      req.on('error', () => undefined)
      agent(res as never, req as never)
    })
    const upstream = grpcUpstream(await serve(server))
    const proxy = await plainProxy(upstream)
    cleanups.push(
      () => proxy.stop(),
      () => upstream.close(),
    )
    return proxy
  },
}

describe.each(Object.keys(sides) as (keyof typeof sides)[])('over %s to the agent', (side) => {
  const proxyTo = sides[side]

  it('a client that leaves is seen by the agent, wherever its call is', async () => {
    const left: Promise<unknown>[] = []
    let arrived = 0
    const proxy = await proxyTo((res, req) => {
      req.resume()
      left.push(closed(res))
      if (req.url === '/answering') res.write('first')
      arrived++
    })
    for (const url of ['/waiting', '/answering']) {
      const before = arrived
      const one = raw(proxy.port).say(`GET ${url} HTTP/1.1`, 'Host: a', '', '')
      const two = raw(proxy.port).say(`POST ${url} HTTP/1.1`, 'Host: a', 'Content-Length: 9', '', 'half')
      const session = h2(proxy.port)
      const three = session.request({ ':path': url })
      const four = session.request({ ':method': 'POST', ':path': url })
      three.on('error', () => undefined)
      four.on('error', () => undefined).write('half')
      await vi.waitUntil(() => arrived === before + 4)
      if (url === '/answering') {
        await Promise.all([one.hears('first'), two.hears('first'), once(three, 'data'), once(four, 'data')])
      }
      const seen = msOf(Promise.all(left.splice(0)))
      one.socket.destroy()
      two.socket.destroy()
      three.close(constants.NGHTTP2_CANCEL)
      four.close(constants.NGHTTP2_CANCEL)
      expect(await seen).toBeLessThan(soonMs)
    }
    await vi.waitUntil(() => proxy.ends.length === 8)
  })

  it('a request that was cut off never looks whole to the agent', async () => {
    const whole: string[] = []
    let arrived = 0
    const proxy = await proxyTo((_res, req) => {
      arrived++
      req.once('end', () => {
        // The stream of HTTP/2 ends also when it is reset.
        const { rstCode = 0 } = (req as { stream?: ServerHttp2Stream }).stream ?? {}
        if (rstCode === 0) whole.push(req.url ?? '')
      })
      req.resume()
    })
    const chunked = raw(proxy.port).say(
      'POST /1 HTTP/1.1',
      'Host: a',
      'Transfer-Encoding: chunked',
      '',
      '4\r\nhalf\r\n',
    )
    const four = h2(proxy.port).request({ ':method': 'POST', ':path': '/2' })
    four.on('error', () => undefined).write('half')
    await vi.waitUntil(() => arrived === 2)
    chunked.socket.resetAndDestroy()
    // `close` would end the request before it resets it.
    four.destroy(new Error('cut'))
    await vi.waitUntil(() => proxy.ends.length === 2)
    await new Promise((done) => setTimeout(done, 50))
    expect(whole).toEqual([])
  })

  it.each([
    ['with a length', { 'Content-Length': '100' }],
    ['without one', {}],
  ])('what the agent cuts off, %s, is cut off for the client', async (_, headers) => {
    const proxy = await proxyTo((res) => {
      res.writeHead(200, headers)
      res.write('first')
      setTimeout(() => {
        const { stream } = res as { stream?: ServerHttp2Stream }
        if (stream) stream.close(constants.NGHTTP2_CANCEL)
        else res.destroy()
      }, 50)
    })
    const one = await raw(proxy.port).say('GET / HTTP/1.1', 'Host: a', '', '').over
    expect(one).toContain('first')
    expect(one).not.toContain('0\r\n\r\n')
    const ten = raw(proxy.port)
    let isReset = false
    ten.socket.on('error', () => (isReset = true))
    expect(await ten.say('GET / HTTP/1.0', '', '').over).toContain('first')
    if (!('Content-Length' in headers)) expect(isReset).toBe(true)
    const stream = h2(proxy.port).request({ ':path': '/' })
    stream.on('error', () => undefined).resume()
    await closed(stream)
    expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR)
    expect(proxy.ends).toEqual(['cut', 'cut', 'cut'])
  })

  it('an agent that closes without an answer is a 502', async () => {
    const proxy = await proxyTo((res) => {
      const { stream } = res as { stream?: ServerHttp2Stream }
      if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else res.destroy()
    })
    expect(await raw(proxy.port).say('POST / HTTP/1.1', 'Host: a', 'Connection: close', '', '').over).toMatch(
      /^HTTP\/1\.1 502 /,
    )
    expect(proxy.ends).toEqual(['cut'])
  })

  it('50 MB pass both ways in little memory, however slowly they are taken', async () => {
    const size = 50 * 1024 * 1024
    const chunk = Buffer.alloc(64 * 1024, 'a')
    let received = 0
    const proxy = await proxyTo((res, req) => {
      if (req.method === 'GET') {
        Readable.from(Array(size / chunk.length).fill(chunk), { highWaterMark: 1 }).pipe(res)
        return
      }
      void (async () => {
        for await (const part of req) {
          received += (part as Buffer).length
          if (received % (8 * 1024 * 1024) < 65_536) await new Promise((done) => setTimeout(done, 5))
        }
        res.end(String(received))
      })()
    })
    let most = 0
    const before = bytesHeld()
    const watch = setInterval(() => (most = Math.max(most, bytesHeld() - before)), 200)
    const session = h2(proxy.port)
    const up = session.request({ ':method': 'POST', ':path': '/' })
    Readable.from(Array(size / chunk.length).fill(chunk), { highWaterMark: 1 }).pipe(up)
    expect(await text(up)).toBe(String(size))
    const down = session.request({ ':path': '/' })
    let sum = 0
    for await (const part of down) {
      const before = sum
      sum += (part as Buffer).length
      if (Math.floor(before / 8e6) !== Math.floor(sum / 8e6))
        await new Promise((done) => setTimeout(done, 20))
    }
    clearInterval(watch)
    expect(sum).toBe(size)
    // Without garbage, which each Node collects as it likes: far from the 100 MB that have passed.
    expect(most / 1024 ** 2).toBeLessThan(40)
  })

  it('a client that takes nothing holds the agent up, and nothing is kept meanwhile', async () => {
    let written = 0
    const proxy = await proxyTo((res) => {
      const chunk = Buffer.alloc(64 * 1024)
      const go = (): void => {
        while (written < 100 * 1024 ** 2) {
          written += chunk.length
          if (!res.write(chunk)) {
            res.once('drain', go)
            return
          }
        }
      }
      go()
    })
    const socket = raw(proxy.port)
    await once(socket.socket, 'connect')
    socket.socket.pause()
    socket.say('GET / HTTP/1.1', 'Host: a', '', '')
    let last = -1
    await vi.waitUntil(
      () => {
        const isStill = written > 0 && written === last
        last = written
        return isStill
      },
      { interval: 300 },
    )
    expect(written / 1024 ** 2).toBeLessThan(30)
  })
})

describe('a connection to the agent that is kept', () => {
  /** Answers the first request of each connection, and closes the connection when it has read the second. */
  const onceOnly = (seen: string[]): Server =>
    createTcpServer((socket: Socket) => {
      let requests = 0
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        seen.push(String(bytes).split(' ', 1)[0] ?? '')
        if (requests++ > 0) socket.resetAndDestroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })

  it('may be closed: what is safe is sent again, and what is not is a 502', async () => {
    const seen: string[] = []
    const upstream = httpUpstream(await serve(onceOnly(seen)))
    const proxy = await plainProxy(upstream)
    cleanups.push(
      () => proxy.stop(),
      () => upstream.close(),
    )
    const ask = (method: string): Promise<string> =>
      raw(proxy.port).say(`${method} / HTTP/1.1`, 'Host: a', 'Connection: close', '', '').over
    expect(await ask('GET')).toMatch(/ok$/)
    expect(await ask('GET')).toMatch(/ok$/)
    expect(seen).toEqual(['GET', 'GET', 'GET'])
    expect(await ask('POST')).toMatch(/ok$/)
    expect(await ask('POST')).toMatch(/^HTTP\/1\.1 502/)
    expect(seen).toEqual(['GET', 'GET', 'GET', 'POST', 'POST'])
  })
})

describe('an agent that takes its time', () => {
  it('is given up after it, which does not run while the client sends', async () => {
    const server = createServer((req) => void req.resume())
    const upstream = httpUpstream(await serve(server), { timeouts: { answerMs: 300 } })
    cleanups.push(() => upstream.close())
    const { signal } = new AbortController()
    const request = { method: 'POST', target: '/', fields: [], content: undefined }
    await expect(upstream.send(request, signal)).rejects.toMatchObject({ kind: 'slow' })
    const content = new Readable({ read: () => undefined })
    const sending = upstream.send({ ...request, content }, signal)
    let isOver = false
    sending.catch(() => (isOver = true))
    await new Promise((done) => setTimeout(done, 600))
    expect(isOver).toBe(false)
    content.push(null)
    await expect(sending).rejects.toMatchObject({ kind: 'slow' })
  })

  it('is cut off by whoever asked, before its answer and after', async () => {
    const gone: Promise<unknown>[] = []
    const server = createServer((req, res) => {
      gone.push(closed(res))
      if (req.url === '/answer') res.write('first')
    })
    const upstream = httpUpstream(await serve(server))
    cleanups.push(() => upstream.close())
    const early = new AbortController()
    const asked = upstream.send({ method: 'GET', target: '/', fields: [], content: undefined }, early.signal)
    await vi.waitUntil(() => gone.length === 1)
    early.abort()
    await expect(asked).rejects.toThrow()
    const late = new AbortController()
    const answer = await upstream.send(
      { method: 'GET', target: '/answer', fields: [], content: undefined },
      late.signal,
    )
    late.abort()
    await expect(buffer(answer.content)).rejects.toThrow()
    await Promise.all(gone)
  })
})
