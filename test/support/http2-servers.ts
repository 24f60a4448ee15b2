import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
} from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import fastify from 'fastify'
import { Hono } from 'hono'
import * as forFastify from '../../src/server/fastify.js'
import * as forFetch from '../../src/server/fetch.js'
import * as forHono from '../../src/server/hono.js'
import * as forNode from '../../src/server/node.js'
import type { TOTPServerAuthScheme } from '../../src/server/index.js'

/** A server of HTTP/2 without TLS on a free port. Its handler answers with the number of bytes that it was sent. */
export interface Http2TestServer {
  readonly port: number
  /** The streams that are not closed. */
  readonly open: ReadonlySet<ServerHttp2Stream>
  close(): Promise<unknown>
}

async function listen(server: Http2Server): Promise<Http2TestServer> {
  const open = new Set<ServerHttp2Stream>()
  server.on('stream', (stream) => {
    open.add(stream)
    stream.once('close', () => open.delete(stream))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    open,
    close: () => new Promise((done) => server.close(done)),
  }
}

const lengthOf = async (body: AsyncIterable<unknown>): Promise<string> => {
  let length = 0
  for await (const chunk of body) length += (chunk as Buffer).length
  return String(length)
}

function listenerOf(handler: (request: Request) => Response | Promise<Response>): Http2Listener {
  const listener = getRequestListener(handler)
  return (req, res) => void listener(req, res)
}

type Http2Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => void

/** Each framework that serves HTTP/2, with the guard as its docs mount it. */
export const http2Servers: Readonly<
  Record<string, (scheme: TOTPServerAuthScheme) => Promise<Http2TestServer>>
> = {
  'node:http2': (scheme) =>
    listen(
      createServer(
        forNode.totpGuard(scheme, (req, res) => {
          void lengthOf(req).then((length) => res.end(length))
        }),
      ),
    ),
  Fastify: async (scheme) => {
    const app = fastify({ http2: true })
    app.addHook('onRequest', forFastify.totpGuard(scheme))
    app.addContentTypeParser('*', (_request, body, done) => done(null, body))
    app.all('*', ({ body }) => (body ? lengthOf(body as AsyncIterable<unknown>) : '0'))
    await app.ready()
    return listen(app.server)
  },
  Hono: (scheme) => {
    const app = new Hono().use(forHono.totpGuard(scheme))
    app.all('*', async (c) => c.text(c.req.raw.body ? await lengthOf(c.req.raw.body) : '0'))
    return listen(createServer(listenerOf(app.fetch)))
  },
  'Request and Response': (scheme) => {
    const guard = forFetch.totpGuard(scheme)
    const handler = async ({ body }: Request): Promise<Response> =>
      new Response(body ? await lengthOf(body) : '0')
    return listen(createServer(listenerOf((request) => guard(request, () => handler(request), '127.0.0.1'))))
  },
}

/** A frame of HTTP/2 (RFC 9113 §4.1). */
export interface Frame {
  readonly type: number
  readonly stream: number
  readonly payload: Buffer
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A field line as a literal without indexing (RFC 7541 §6.2.2). */
const fieldLine = ([name, value]: readonly [string, string]): Buffer =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])

/**
 * Sends one request as frames made by hand, which may have any fields, and may leave no room for an answer.
 *
 * @returns the first frame of its stream that `until` accepts, after which the connection is closed
 */
export function rawHttp2(
  port: number,
  fields: readonly (readonly [string, string])[],
  { window = 65_535, until }: { window?: number; until: (frame: Frame) => boolean },
): Promise<Frame> {
  const initialWindow = Buffer.alloc(6)
  initialWindow.writeUInt16BE(4, 0)
  initialWindow.writeUInt32BE(window, 2)
  const pseudo = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':authority', 'a'],
    [':path', '/x'],
  ] as const
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
      socket.write(frame(4, 0, 0, initialWindow))
      socket.write(frame(1, 5, 1, Buffer.concat([...pseudo, ...fields].map(fieldLine))))
    })
    let rest = Buffer.alloc(0)
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, data])
      while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const payload = rest.subarray(9, 9 + rest.readUIntBE(0, 3))
        const next = { type: rest.readUInt8(3), stream: rest.readUInt32BE(5), payload }
        rest = rest.subarray(9 + payload.length)
        if (next.stream !== 1 || !until(next)) continue
        done(next)
        socket.destroy()
      }
    })
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the connection was closed before')))
  })
}
