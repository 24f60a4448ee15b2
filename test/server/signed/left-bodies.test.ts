import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import fastify from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import * as forFastify from '../../../src/server/fastify.js'
import { totpGuard } from '../../../src/server/node.js'
import type { PeerSeedsOptions } from '../../../src/server/scheme/options.js'
import { memoryState, type State } from '../../../src/state/index.js'
import { Clock, schemeFor } from '../../support/guarded.js'
import { agent } from '../../support/proof-of.js'
import { headOf, sendHttp2, sendRaw, signed, type SentRequest } from '../../support/signed-requests.js'
import { signedServers } from '../../support/signed-servers.js'

const schemeWith = (given: Partial<PeerSeedsOptions> = {}) =>
  schemeFor(new Clock(), { replay: 'once', signed: 'require', agent, ...given })

let server: Server | Http2Server | undefined
let session: ClientHttp2Session | undefined
afterEach(() => {
  session?.destroy()
  server?.close()
})

type Http2Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => unknown

/** Node reports a bug of its own as an uncaught exception, which fails the whole run. */
async function listenHttp2(given: Partial<PeerSeedsOptions>, listener: Http2Listener) {
  const { scheme, events } = schemeWith(given)
  const guarded = totpGuard(scheme, listener as never) as unknown as Http2Listener
  const closed: Promise<unknown>[] = []
  const own = createHttp2Server((req, res) => {
    closed.push(once(req.stream, 'close'))
    guarded(req, res)
  })
  server = own
  own.listen(0, '127.0.0.1')
  await once(own, 'listening')
  const { port } = own.address() as AddressInfo
  return { port, events, closed }
}

function open(port: number, { method, target, headers }: SentRequest): ClientHttp2Stream {
  session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  const stream = session.request({ ':method': method, ':path': target, ...Object.fromEntries(headers) })
  stream.on('error', () => undefined)
  return stream.resume()
}

const ignoring: Http2Listener = (_req, res) => void res.end('ignored')
const long = () => signed({ body: Buffer.alloc(200_000, 'x') })
/** For what Node does in later turns. */
const turns = () => new Promise((done) => setTimeout(done, 20))

/** Decides only when it is told to. */
function waitingState() {
  const state = memoryState()
  let go: () => void = () => undefined
  let ask: () => void = () => undefined
  const asked = new Promise<void>((done) => (ask = done))
  const told = new Promise<void>((done) => (go = done))
  const decide: State['decide'] = async (attempt) => {
    ask()
    await told
    return state.decide(attempt)
  }
  return { state: { supports: state.supports, decide } satisfies State, asked, go: () => go() }
}

describe('over HTTP/2, a signed request', () => {
  it.each(['GET', 'POST'])('may be answered by a handler that reads nothing: %s', async (method) => {
    const { port, events, closed } = await listenHttp2({}, ignoring)
    const request = method === 'GET' ? signed({ method, body: '' }) : long()
    expect(await sendHttp2(port, request)).toMatchObject({ status: 200, body: 'ignored' })
    await Promise.all(closed)
    await turns()
    // Nothing is said of a content that nobody has seen.
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it.each(['before', 'after'])('may be left %s it is answered', async (when) => {
    const { port, events, closed } = await listenHttp2({}, when === 'after' ? ignoring : () => undefined)
    const stream = open(port, long())
    stream.write('x')
    await expect.poll(() => events.length).toBe(1)
    session?.destroy()
    await expect.poll(() => closed.length).toBe(1)
    await Promise.all(closed)
    await turns()
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it.each(['require', 'observe'] as const)('may be left before it is decided about: %s', async (policy) => {
    const { state, asked, go } = waitingState()
    let ended = false
    const { port, events, closed } = await listenHttp2({ signed: policy, state }, (req) => {
      req.on('data', () => undefined).on('end', () => (ended = true))
    })
    open(port, long())
    await asked
    session?.destroy()
    await Promise.all(closed)
    go()
    await expect.poll(() => events.length).toBe(1)
    await turns()
    expect(events[0]?.type).toBe(policy === 'observe' ? 'authenticated' : 'refused')
    // As Node does it without a guard.
    expect(ended).toBe(policy === 'observe')
  })

  it('may be read after its client has left', async () => {
    let read: (() => unknown) | undefined
    let ended = false
    const { port, closed } = await listenHttp2({}, (req) => {
      read = () => req.on('data', () => undefined).on('end', () => (ended = true))
    })
    const stream = open(port, long())
    stream.write('x')
    await expect.poll(() => read !== undefined).toBe(true)
    session?.destroy()
    await Promise.all(closed)
    read?.()
    await turns()
    expect(ended).toBe(false)
  })
})

describe('a request that is refused before its handler starts', () => {
  const keptOpen = Object.entries(signedServers).filter(
    ([name]) => !/elsewhere|Request$|HTTP\/2|http2|^Request and Response$/.test(name),
  )

  it.each(keptOpen)(
    'leaves the connection to others: %s',
    async (_, serve) => {
      const seen = { started: 0, ended: 0 }
      const own = await serve(schemeWith().scheme, seen)
      const socket = connect(own.port, '127.0.0.1')
      let text = ''
      socket.on('data', (data: Buffer) => (text += data.toString('latin1')))
      const changed = { ...signed(), body: Buffer.from('{"hello":"xorld"}') }
      socket.write(headOf(changed) + changed.body.toString())
      await expect.poll(() => text).toMatch(/^HTTP\/1\.1 401 /)
      // In 5 seconds a connection is closed whose request has not ended.
      const before = Date.now()
      while (Date.now() - before < 5600) {
        const answers = text.split('HTTP/1.1 200 ').length
        const right = signed()
        socket.write(headOf(right) + right.body.toString())
        await expect.poll(() => text.split('HTTP/1.1 200 ').length).toBe(answers + 1)
        await new Promise((done) => setTimeout(done, 700))
      }
      expect(socket.destroyed).toBe(false)
      socket.destroy()
      await own.close()
    },
    20_000,
  )

  it('is reported once, also if its content was taken away', async () => {
    const { scheme, events } = schemeWith()
    const handler = (req: IncomingMessage, res: ServerResponse): void => {
      req.resume().on('end', () => res.end())
    }
    const own = createServer(totpGuard(scheme, handler))
    server = own
    own.listen(0, '127.0.0.1')
    await once(own, 'listening')
    const { port } = own.address() as AddressInfo
    const answer = await sendRaw(port, { ...signed(), body: Buffer.alloc(0) })
    expect(answer.status).toBe(401)
    expect(answer.head ?? '').not.toMatch(/connection: close/i)
    scheme.close()
    expect(events.map((event) => 'count' in event && event.count)).toEqual([1])
  })
})

describe('the answer to a content that is another one', () => {
  const prepared = {
    'Set-Cookie': 'session=secret',
    'Content-Encoding': 'gzip',
    'Content-Length': '7',
    ETag: '"1"',
  }
  const changed = () => ({ ...long(), body: Buffer.alloc(200_000, 'y') })

  it('has nothing that its handler had prepared', async () => {
    const handler = (req: IncomingMessage, res: ServerResponse): void => {
      for (const [name, value] of Object.entries(prepared)) res.setHeader(name, value)
      res.setHeader('X-Request-Id', 'kept')
      req.resume().on('end', () => res.end('{"a":1}'))
    }
    const own = createServer(totpGuard(schemeWith().scheme, handler))
    server = own
    own.listen(0, '127.0.0.1')
    await once(own, 'listening')
    const { port } = own.address() as AddressInfo
    expect((await sendRaw(port, long())).head).toMatch(/set-cookie: session/i)
    const { status, head = '', body } = await sendRaw(port, changed())
    expect([status, JSON.parse(body)]).toMatchObject([401, { error: { code: 401 } }])
    expect(head).not.toMatch(/secret|gzip|etag/i)
    expect(head).toMatch(/x-request-id: kept/i)
  })

  it('has nothing that its handler had prepared: Fastify', async () => {
    const app = fastify()
    app.addHook('onRequest', forFastify.totpGuard(schemeWith().scheme))
    app.addHook('preParsing', (_request, reply, _payload, done) => {
      void reply.headers(prepared)
      done()
    })
    app.post('/a2a', () => ({}))
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const { status, head = '', body } = await sendRaw(port, changed())
    expect([status, JSON.parse(body)]).toMatchObject([401, { error: { code: 401 } }])
    expect(head).not.toMatch(/secret|gzip|etag/i)
    await app.close()
  })
})
