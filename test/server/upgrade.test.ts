import { once } from 'node:events'
import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http'
import * as http2 from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { serve as serveHono, upgradeWebSocket } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import * as forExpress from '../../src/server/express.js'
import * as forFastify from '../../src/server/fastify.js'
import * as forHono from '../../src/server/hono.js'
import { callerOf, totpGuard, totpUpgradeGuard } from '../../src/server/node.js'
import { bearerOf, Clock, headersOf, peers, schemeFor, someInstant, wrongCodeOf } from '../support/guarded.js'
import type { TokenVerdict } from '../../src/server/index.js'
import { rawExchange } from '../support/http-frameworks.js'

const card = '/.well-known/agent-card.json'
const right = headersOf('alice', someInstant)
const both = Object.entries(right).map(([name, value]) => `${name}: ${value}`)
const [token = '', code = ''] = both

/** The head of a request that opens a WebSocket. */
const upgrade = (lines: readonly string[], start = 'GET /x'): string =>
  [`${start} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...lines, '', ''].join('\r\n')

/** Takes the connection over, as a WebSocket server would, and says back what it reads. */
function echo(req: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => undefined)
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\n\r\n${callerOf(req)?.peer ?? 'anyone'} said ${head.toString()}`,
  )
  socket.end()
}

let server: Server | undefined
afterEach(() => {
  server?.close()
  server?.closeAllConnections()
  server = undefined
})

async function listen(made: Server): Promise<number> {
  server = made.listen(0, '127.0.0.1')
  await once(made, 'listening')
  return (made.address() as AddressInfo).port
}

describe.each(['upgrade', 'connect'])('totpUpgradeGuard for %s', (event) => {
  const ask = (lines: readonly string[], path = '/x'): string =>
    upgrade(lines, event === 'connect' ? 'CONNECT a:1' : `GET ${path}`)

  async function start(given: Parameters<typeof schemeFor>[1] = {}) {
    const { scheme, events } = schemeFor(new Clock(), given)
    const through: unknown[] = []
    const made = createServer((_req, res) => res.end('request'))
    made.on(
      event,
      totpUpgradeGuard(scheme, (req, socket, head) => {
        through.push(callerOf(req, scheme)?.peer)
        echo(req, socket, head)
      }),
    )
    return { port: await listen(made), through, events }
  }

  it('hands the socket to its listener with both factors, and with what was sent already', async () => {
    const { port, through, events } = await start({ replay: 'once' })
    const answer = await rawExchange(port, `${ask(both)}hello`)
    expect(answer).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\nalice said hello')
    expect(through).toEqual(['alice'])
    expect(events).toMatchObject([{ type: 'authenticated', source: '127.0.0.1' }])
  })

  it.each<[what: string, lines: string[]]>([
    ['nothing', []],
    ['no code', [token]],
    ['no token', [code]],
    ['a wrong code', [token, `X-TOTP: ${wrongCodeOf(someInstant)}`]],
    ['the code twice', [token, code, code]],
    ['the token twice', [token, token, code]],
  ])('answers 401 to a request with %s, and closes the connection', async (_, lines) => {
    const { port, through } = await start()
    const answer = await rawExchange(port, ask(lines))
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    const error = lines.includes(token) ? ', error="invalid_token"' : ''
    expect(head.replace(/Date: .* GMT/, 'Date: now').split('\r\n')).toEqual([
      'HTTP/1.1 401 Unauthorized',
      `WWW-Authenticate: Bearer realm="a2a"${error}`,
      'WWW-Authenticate: TOTP realm="a2a", header="X-TOTP"',
      'Cache-Control: no-store',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Date: now',
      'Connection: close',
    ])
    expect(JSON.parse(body)).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } })
    expect(through).toEqual([])
  })

  it('makes no exemption for the card', async () => {
    const { port, through } = await start()
    expect(await rawExchange(port, ask([], card))).toMatch(/^HTTP\/1\.1 401 /)
    expect(through).toEqual([])
  })

  it('answers 429 after too many guesses, and 503 when the state is down', async () => {
    const { port } = await start({ throttle: { budgets: [{ limit: 1, seconds: 30 }], risk: 1 } })
    await rawExchange(port, ask([token, `X-TOTP: ${wrongCodeOf(someInstant)}`]))
    const throttled = await rawExchange(port, ask(both))
    expect(throttled).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\nRetry-After: 30\r\n/)
    server?.close()
    const down = await start({
      state: { supports: { once: true }, decide: () => Promise.reject(new Error('secret')) },
    })
    const unavailable = await rawExchange(down.port, ask(both))
    expect(unavailable).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 5\r\n/)
    expect(unavailable).not.toContain('secret')
    expect(down.through).toEqual([])
  })

  it.each([
    ['lets in', () => ({ peer: 'alice' })],
    ['refuses', () => ({ refusal: 'no' })],
    ['fails on', () => Promise.reject(new Error('down'))],
  ] satisfies [string, () => TokenVerdict | Promise<TokenVerdict>][])(
    'outlives a client that resets the connection before the delegate %s it',
    async (_, verdict) => {
      const sockets: Duplex[] = []
      const made = createServer()
      const closed = new Promise((done) =>
        made.on('connection', (socket) => {
          sockets.push(socket)
          socket.on('close', done)
        }),
      )
      const client = connect(await listen(made), '127.0.0.1')
      const delegate = {
        authenticateToken: () => {
          client.resetAndDestroy()
          return closed.then((): TokenVerdict | Promise<TokenVerdict> => verdict())
        },
      }
      const { scheme, events } = schemeFor(new Clock(), { delegate })
      // Without a listener of its own for errors.
      made.on(
        event,
        totpUpgradeGuard(scheme, (_req, socket) => void sockets.push(socket)),
      )
      client.write(ask(both))
      await expect.poll(() => events.length).toBe(1)
      await new Promise((done) => setImmediate(done))
      // Was let in, but is gone: there is no connection to hand over.
      expect(sockets).toHaveLength(1)
    },
  )

  it.each([
    ['goes on sending', Buffer.alloc(2 * 1024 * 1024)],
    ['never closes', Buffer.alloc(0)],
  ])('ends the connection of a refused client that %s', async (_, more) => {
    const { port } = await start()
    const left = new Promise((done) => server?.on('connection', (socket) => socket.on('close', done)))
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => undefined)
    client.resume().write(Buffer.concat([Buffer.from(ask([])), more]))
    await left
    client.destroy()
  })

  it('leaves errors after the hand-over to the listener', async () => {
    const { scheme } = schemeFor(new Clock())
    const made = createServer()
    const handed = new Promise<Duplex>((done) =>
      made.on(
        event,
        totpUpgradeGuard(scheme, (_req, socket) => done(socket)),
      ),
    )
    const client = connect(await listen(made), '127.0.0.1')
    client.write(ask(both))
    expect((await handed).listenerCount('error')).toBe(0)
    client.destroy()
  })
})

describe('HTTP/2', () => {
  it.each([false, true])('guards CONNECT, extended (RFC 8441): %s', async (extended) => {
    const { scheme } = schemeFor(new Clock())
    const made = http2.createServer({ settings: { enableConnectProtocol: true } }, (_req, res) =>
      res.end('request'),
    )
    made.on(
      'connect',
      totpGuard<http2.Http2ServerRequest, http2.Http2ServerResponse>(scheme, (req, res) => {
        res.end(callerOf(req)?.peer ?? 'anyone')
      }),
    )
    made.listen(0, '127.0.0.1')
    await once(made, 'listening')
    const session = http2.connect(`http://127.0.0.1:${(made.address() as AddressInfo).port}`)
    await once(session, 'remoteSettings')
    const connectAs = async (fields: object): Promise<unknown[]> => {
      const more = extended ? { ':protocol': 'websocket', ':path': card, ':scheme': 'http' } : {}
      const stream = session.request({ ':method': 'CONNECT', ':authority': 'a:1', ...more, ...fields })
      let status: unknown
      let body = ''
      stream.on('response', (headers) => (status = headers[':status']))
      stream.on('data', (chunk: Buffer) => (body += chunk.toString()))
      await once(stream, 'end')
      stream.close()
      return [status, body]
    }
    expect(await connectAs({})).toEqual([401, expect.stringContaining('UNAUTHENTICATED')])
    expect(await connectAs(right)).toEqual([200, 'alice'])
    session.destroy()
    made.close()
  })
})

describe('totpGuard', () => {
  it('that was mounted for upgrades by mistake refuses them, the card included', async () => {
    const { scheme } = schemeFor(new Clock())
    const through: unknown[] = []
    const made = createServer()
    made.on('upgrade', totpGuard(scheme, (req) => through.push(req.url)) as never)
    const port = await listen(made)
    for (const start of ['GET /x', `GET ${card}`]) {
      expect(await rawExchange(port, upgrade([], start))).toMatch(/^HTTP\/1\.1 401 /)
    }
    expect(through).toEqual([])
  })

  it('guards checkContinue: a refused client is not asked for its body', async () => {
    const { scheme } = schemeFor(new Clock())
    const listener = (req: IncomingMessage, res: ServerResponse): unknown => res.end(callerOf(req)?.peer)
    const made = createServer(totpGuard(scheme, listener))
    made.on(
      'checkContinue',
      totpGuard(scheme, (req, res) => {
        res.writeContinue()
        listener(req, res)
      }),
    )
    const port = await listen(made)
    const expecting = (lines: readonly string[], body: string): string =>
      [
        'POST /x HTTP/1.1',
        'Host: a',
        'Connection: close',
        'Expect: 100-continue',
        'Content-Length: 2',
        ...lines,
        '',
        body,
      ].join('\r\n')
    expect(await rawExchange(port, expecting([], ''))).toMatch(/^HTTP\/1\.1 401 /)
    expect(await rawExchange(port, expecting(both, '{}'))).toMatch(
      /^HTTP\/1\.1 100 [^]*\r\n\r\nHTTP\/1\.1 200 OK[^]*alice/,
    )
  })
})

it('leaves upgrades and Expect to totpGuard where nothing else listens for them, and CONNECT to Node', async () => {
  const { scheme } = schemeFor(new Clock())
  const through: unknown[] = []
  const made = createServer(totpGuard(scheme, (req, res) => res.end(String(through.push(req.method)))))
  made.on(
    'checkExpectation',
    totpGuard(scheme, (req, res) => res.end(String(through.push(req.method)))),
  )
  const port = await listen(made)
  expect(await rawExchange(port, upgrade(['Connection: close']))).toMatch(/^HTTP\/1\.1 401 /)
  for (const expectation of ['100-continue', 'something']) {
    const head = `POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: ${expectation}\r\n\r\n`
    expect(await rawExchange(port, head)).toMatch(/^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 401 /)
  }
  expect(await rawExchange(port, upgrade([], 'CONNECT a:1'))).toBe('')
  expect(through).toEqual([])
})

describe('upgrades beside a framework', () => {
  it('do not reach an Express app, and are guarded by their own guard', async () => {
    const { scheme } = schemeFor(new Clock())
    const app = express()
    app.use(forExpress.totpGuard(scheme))
    const made = createServer(app as never)
    const port = await listen(made)
    made.on('upgrade', echo)
    expect(await rawExchange(port, upgrade([]))).toContain('anyone said')
    made.removeAllListeners('upgrade').on('upgrade', totpUpgradeGuard(scheme, echo))
    expect(await rawExchange(port, upgrade([]))).toMatch(/^HTTP\/1\.1 401 /)
    expect(await rawExchange(port, upgrade(both))).toContain('alice said')
  })

  it('meet the hook of Fastify where a plugin routes them, as @fastify/websocket does', async () => {
    const { scheme } = schemeFor(new Clock())
    const handled: unknown[] = []
    const app = fastify()
    app.addHook('onRequest', forFastify.totpGuard(scheme))
    app.get('*', (request, reply) => {
      handled.push(forFastify.callerOf(request)?.peer)
      return reply.send('through')
    })
    app.server.on('upgrade', (req: IncomingMessage, socket) => {
      const res = new ServerResponse(req)
      res.assignSocket(socket as never)
      res.on('finish', () => socket.end())
      app.routing(req, res)
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    server = app.server
    const { port } = app.server.address() as AddressInfo
    for (const start of ['GET /x', `GET ${card}`]) {
      expect(await rawExchange(port, upgrade([], start))).toMatch(/^HTTP\/1\.1 401 /)
    }
    expect(handled).toEqual([])
    expect(await rawExchange(port, upgrade(both))).toMatch(/^HTTP\/1\.1 200 /)
    expect(handled).toEqual(['alice'])
    await app.close()
  })

  it("are closed once their caller's credentials end: node:http, Fastify and Hono", async () => {
    const clock = new Clock()
    const expiresAt = new Date(clock.at.getTime() + 10_000)
    const peerSeeds = { alice: { seeds: [{ seed: peers.alice.seed, expiresAt }] } }
    const { scheme } = schemeFor(clock, { peerSeeds })
    const hold = (_req: unknown, socket: Duplex): void => {
      socket.on('error', () => undefined)
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    }
    const node = createServer().on('upgrade', totpUpgradeGuard(scheme, hold)).listen(0, '127.0.0.1')
    await once(node, 'listening')

    const app = fastify()
    app.addHook('onRequest', forFastify.totpGuard(scheme))
    app.get('*', (request, reply) => {
      reply.hijack()
      hold(request, request.raw.socket)
    })
    app.server.on('upgrade', (req: IncomingMessage, socket) => {
      const res = new ServerResponse(req)
      res.assignSocket(socket as never)
      app.routing(req, res)
    })
    await app.listen({ host: '127.0.0.1', port: 0 })

    const wss = {
      options: { noServer: true },
      handleUpgrade: hold,
      on: () => wss,
      off: () => wss,
      emit: () => true,
      close: () => undefined,
    }
    const routes = new Hono().use(forHono.totpGuard(scheme)).get(
      '*',
      upgradeWebSocket(() => ({})),
    )
    const hono = serveHono({
      fetch: routes.fetch,
      port: 0,
      hostname: '127.0.0.1',
      websocket: { server: wss },
    }) as Server
    await once(hono, 'listening')

    const sockets = await Promise.all(
      [node, app.server, hono].map(async (made) => {
        const socket = connect((made.address() as AddressInfo).port, '127.0.0.1')
        socket.on('error', () => undefined)
        socket.write(upgrade(both))
        await once(socket, 'data')
        return socket
      }),
    )
    expect(sockets.map(({ closed }) => closed)).toEqual([false, false, false])
    const closed = sockets.map((socket) => once(socket, 'close'))
    clock.advance(10)
    await Promise.all(closed)
    for (const made of [node, hono]) made.close()
    await app.close()
  })

  it('meet the middleware of Hono where @hono/node-server routes them', async () => {
    const { scheme } = schemeFor(new Clock())
    const opened: unknown[] = []
    const app = new Hono().use(forHono.totpGuard(scheme)).get(
      '*',
      upgradeWebSocket((c) => {
        opened.push(forHono.callerOf(c)?.peer)
        return {}
      }),
    )
    // What it asks of a server of the package ws: here one that takes the socket and closes it.
    const wss = {
      options: { noServer: true },
      handleUpgrade: (_req: unknown, socket: Duplex) =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      on: () => wss,
      off: () => wss,
      emit: () => true,
      close: () => undefined,
    }
    const made = serveHono({
      fetch: app.fetch,
      port: 0,
      hostname: '127.0.0.1',
      websocket: { server: wss },
    })
    await once(made, 'listening')
    server = made as Server
    const { port } = made.address() as AddressInfo
    for (const start of ['GET /x', `GET ${card}`]) {
      expect(await rawExchange(port, upgrade([], start))).toMatch(/^HTTP\/1\.1 401 /)
    }
    expect(opened).toEqual([])
    expect(await rawExchange(port, upgrade([`Authorization: ${bearerOf('alice')}`, code]))).toMatch(
      /^HTTP\/1\.1 101 /,
    )
    expect(opened).toEqual(['alice'])
  })
})
