import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, type HttpBindings } from '@hono/node-server'
import expressCors from 'cors'
import express, { type Request } from 'express'
import fastify from 'fastify'
import { Hono, type Context } from 'hono'
import { cors as honoCors } from 'hono/cors'
import * as forExpress from '../../src/server/express.js'
import * as forFastify from '../../src/server/fastify.js'
import * as forFetch from '../../src/server/fetch.js'
import * as forHono from '../../src/server/hono.js'
import * as forNode from '../../src/server/node.js'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'

/** A server of some framework on a free port, with the guard in front of a handler that answers who called. */
export interface GuardedServer {
  readonly origin: string
  readonly port: number
  close(): Promise<void>
}

export interface ServeOptions {
  readonly scheme: TOTPServerAuthScheme
  /** Is told who got through. */
  readonly through: (peer: string) => void
  /** Lets browsers of everywhere ask, in front of the guard. */
  readonly cors?: boolean
  /** Answers 504 in front of the guard after so many milliseconds. */
  readonly inTimeMs?: number
  /** Header fields that something in front of the guard has set already. */
  readonly saying?: Readonly<Record<string, string>>
}

const require = createRequire(import.meta.url)

function started(server: Server): GuardedServer {
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function listen(listener: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<GuardedServer> {
  const server = createServer((req, res) => void listener(req, res))
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(started(server))))
}

function answerLater(res: ServerResponse, inTimeMs: number): void {
  setTimeout(() => res.headersSent || res.writeHead(504).end(), inTimeMs)
}

function expressServer(
  make: typeof express,
  { scheme, through, cors, inTimeMs, saying = {} }: ServeOptions,
): Promise<GuardedServer> {
  const app = make()
  app.use((_req, res, next) => {
    res.set(saying)
    next()
  })
  if (cors) app.use(expressCors())
  if (inTimeMs !== undefined) {
    app.use((_req, res, next) => {
      answerLater(res, inTimeMs)
      next()
    })
  }
  app.use(forExpress.totpGuard(scheme))
  app.use((req: Request, res) => {
    const peer = forExpress.callerOf(req)?.peer ?? 'anyone'
    through(peer)
    res.json({ peer })
  })
  return listen(app)
}

type NodeHono = Hono<{ Bindings: HttpBindings }>

/** Hono on @hono/node-server, with what is mounted in front of a handler. */
function honoServer(
  { through, cors, inTimeMs, saying = {} }: ServeOptions,
  mount: (app: NodeHono) => unknown,
  peerOf: (c: Context) => string,
): Promise<GuardedServer> {
  const app: NodeHono = new Hono()
  app.use((c, next) => {
    for (const [name, value] of Object.entries(saying)) c.header(name, value)
    return next()
  })
  if (inTimeMs !== undefined) {
    const late = (): Promise<Response> => sleep(inTimeMs).then(() => new Response(null, { status: 504 }))
    app.use(async (c, next) => {
      c.res = await Promise.race([next().then(() => c.res), late()])
    })
  }
  if (cors) app.use(honoCors())
  mount(app)
  app.all('*', (c) => {
    const peer = peerOf(c)
    through(peer)
    return c.json({ peer })
  })
  return new Promise((done) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
      done(started(server as Server)),
    )
  })
}

/** Each framework, with the guard as its docs mount it. */
export const frameworks: Readonly<Record<string, (options: ServeOptions) => Promise<GuardedServer>>> = {
  'Express 5': (options) => expressServer(express, options),
  'Express 4': (options) => expressServer(require('express-4') as typeof express, options),

  Fastify: async ({ scheme, through, cors, inTimeMs, saying = {} }) => {
    const app = fastify()
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(saying)
      done()
    })
    if (inTimeMs !== undefined) {
      app.addHook('onRequest', (_request, reply, done) => {
        setTimeout(() => {
          if (!reply.sent) void reply.code(504).send()
        }, inTimeMs)
        done()
      })
    }
    if (cors) {
      app.addHook('onRequest', async ({ method }, reply) => {
        reply.header('Access-Control-Allow-Origin', '*')
        if (method === 'OPTIONS') await reply.code(204).send()
      })
    }
    app.addHook('onRequest', forFastify.totpGuard(scheme))
    app.all('*', (request, reply) => {
      const peer = forFastify.callerOf(request)?.peer ?? 'anyone'
      through(peer)
      return reply.send({ peer })
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { ...started(app.server), close: () => (app.server.closeAllConnections(), app.close()) }
  },

  Hono: (options) =>
    honoServer(
      options,
      (app) => app.use(forHono.totpGuard(options.scheme)),
      (c) => forHono.callerOf(c)?.peer ?? 'anyone',
    ),

  'Request and Response': (options) => {
    const guard = forFetch.totpGuard(options.scheme)
    return honoServer(
      options,
      (app) =>
        app.use((c, next) =>
          guard(c.req.raw, () => next().then(() => c.res), c.env.incoming.socket.remoteAddress),
        ),
      (c) => forFetch.callerOf(c.req.raw)?.peer ?? 'anyone',
    )
  },

  'node:http': ({ scheme, through, cors, inTimeMs, saying = {} }) => {
    const guarded = forNode.totpGuard(scheme, (req, res) => {
      const peer = forNode.callerOf(req)?.peer ?? 'anyone'
      through(peer)
      res.setHeader('Content-Type', 'application/json')
      res.end(JSON.stringify({ peer }))
    })
    return listen((req, res) => {
      for (const [name, value] of Object.entries(saying)) res.setHeader(name, value)
      if (inTimeMs !== undefined) answerLater(res, inTimeMs)
      if (cors) res.setHeader('Access-Control-Allow-Origin', '*')
      if (cors && req.method === 'OPTIONS') res.writeHead(204).end()
      else guarded(req, res)
    })
  },
}

/** Sends bytes as they are and gives all that comes back until the server hangs up. */
export function rawExchange(port: number, text: string): Promise<string> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', fail)
    socket.on('close', () => done(Buffer.concat(chunks).toString('latin1')))
    socket.setTimeout(5000, () => socket.destroy(new Error('the server did not hang up')))
  })
}

/** How a server took a body that goes on and on. */
export interface Upload {
  readonly status: number | undefined
  /** Bytes that it took, or that lie in buffers on the way. */
  readonly sent: number
  /** Whether it hung up before the body was that long. */
  readonly hungUp: boolean
}

/** Sends a body over a socket of its own, whatever is answered, until the server hangs up or it is that long. */
export function upload(port: number, megabytes: number): Promise<Upload> {
  return new Promise((done) => {
    const most = megabytes * 1024 * 1024
    const chunk = Buffer.alloc(256 * 1024)
    let sent = 0
    let answer = ''
    let hungUp = true
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${most * 2}\r\n\r\n`)
      more()
    })
    const more = (): void => {
      while (!socket.destroyed && sent < most) {
        sent += chunk.length
        if (!socket.write(chunk)) return void socket.once('drain', more)
      }
      hungUp = socket.destroyed
      socket.destroy()
    }
    socket.on('data', (data: Buffer) => (answer += data.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]
      done({ status: status === undefined ? undefined : Number(status), sent, hungUp })
    })
  })
}
