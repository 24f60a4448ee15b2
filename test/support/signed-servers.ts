import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify, { type FastifyInstance } from 'fastify'
import { Hono } from 'hono'
import * as forExpress from '../../src/server/express.js'
import * as forFastify from '../../src/server/fastify.js'
import * as forFetch from '../../src/server/fetch.js'
import * as forHono from '../../src/server/hono.js'
import * as forNode from '../../src/server/node.js'
import type { TOTPServerAuthScheme } from '../../src/server/index.js'
import { startReverseProxy } from '../../src/sidecar/gate/reverse-proxy.js'
import { TrustedProxies } from '../../src/sidecar/gate/trusted-proxies.js'
import { sendHttp2, sendRaw, type Answer, type SentRequest } from './signed-requests.js'
import { unobserved } from './unobserved.js'

/** What a handler saw. */
export interface Seen {
  /** Handlers that were called. */
  started: number
  /** Handlers that came to the end of a body. */
  ended: number
}

/** A server whose handler reads the body, and answers with its caller and the number of bytes. */
export interface SignedServer {
  /** Of servers that listen. */
  readonly port: number
  send(request: SentRequest): Promise<Answer>
  close(): unknown
}

type Serve = (scheme: TOTPServerAuthScheme, seen: Seen) => Promise<SignedServer>

async function listening(
  server: Pick<Server, 'listen' | 'address' | 'close'> & { closeAllConnections?: () => void },
  send: (port: number, request: SentRequest) => Promise<Answer> = sendRaw,
): Promise<SignedServer> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()))
  return served(server, send)
}

function served(
  server: Pick<Server, 'address' | 'close'> & { closeAllConnections?: () => void },
  send: (port: number, request: SentRequest) => Promise<Answer> = sendRaw,
): SignedServer {
  const { port } = server.address() as AddressInfo
  return {
    port,
    send: (request) => send(port, request),
    close: () => {
      server.close()
      server.closeAllConnections?.()
    },
  }
}

/** A handler of Node's streams. */
const reading =
  (seen: Seen, callerOf: (req: never) => { peer: string } | undefined) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    seen.started++
    let length = 0
    req.on('data', (chunk: Buffer) => (length += chunk.length))
    req.on('end', () => {
      seen.ended++
      res.setHeader('Content-Type', 'application/json')
      res.end(JSON.stringify({ peer: callerOf(req as never)?.peer, length }))
    })
  }

const require = createRequire(import.meta.url)

/** With the body parser of its users. */
const onExpress =
  (make: typeof express): Serve =>
  (scheme, seen) => {
    const app = make()
    app.use(forExpress.totpGuard(scheme))
    app.use((_req, _res, next) => {
      seen.started++
      next()
    })
    app.use(make.raw({ type: () => true, limit: '200mb' }))
    app.use((req, res) => {
      seen.ended++
      const { length } = Buffer.isBuffer(req.body) ? req.body : ''
      res.json({ peer: forExpress.callerOf(req)?.peer, length })
    })
    return listening(createServer(app as never))
  }

async function onFastify(scheme: TOTPServerAuthScheme, seen: Seen, http2: boolean): Promise<SignedServer> {
  const make = fastify as (options: object) => FastifyInstance
  const app = make({ bodyLimit: 2 ** 28, ...(http2 && { http2: true }) })
  app.addHook('onRequest', forFastify.totpGuard(scheme))
  app.addHook('onRequest', (_request, _reply, done) => {
    seen.started++
    done()
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.all('*', (request) => {
    seen.ended++
    const { length } = Buffer.isBuffer(request.body) ? request.body : ''
    return { peer: forFastify.callerOf(request)?.peer, length }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { server } = app
  return {
    ...served(server, http2 ? sendHttp2 : sendRaw),
    close: () => {
      if (!http2) server.closeAllConnections()
      return app.close()
    },
  }
}

function honoApp(scheme: TOTPServerAuthScheme, seen: Seen): Hono<forHono.TOTPGuardEnv> {
  const app = new Hono<forHono.TOTPGuardEnv>()
  app.use(forHono.totpGuard(scheme))
  app.all('*', async (c) => {
    seen.started++
    const body = await c.req.arrayBuffer()
    seen.ended++
    return c.json({ peer: forHono.callerOf(c)?.peer, length: body.byteLength })
  })
  return app
}

function onNodeServer(fetch: Parameters<typeof serve>[0]['fetch']): Promise<SignedServer> {
  return new Promise((done) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, () => done(served(server as Server)))
  })
}

type Handler = (request: Request, scheme: TOTPServerAuthScheme, seen: Seen) => Promise<Response>

/** Reads the request that it is given. */
const guardedHandler: Handler = (given, scheme, seen) =>
  forFetch.totpGuard(scheme)(given, async (request, caller) => {
    seen.started++
    const body = await request.arrayBuffer()
    seen.ended++
    const isKnown = forFetch.callerOf(request)?.peer === caller?.peer
    return Response.json({ peer: isKnown ? caller?.peer : 'unknown', length: body.byteLength })
  })

/** Reads the request that it was there with before, as handlers do that take no argument. */
const closingHandler: Handler = (request, scheme, seen) =>
  forFetch.totpGuard(scheme)(request, async () => {
    seen.started++
    const text = await request.text()
    seen.ended++
    return Response.json({
      peer: forFetch.callerOf(request)?.peer,
      length: Buffer.byteLength(text, 'latin1'),
    })
  })

/** Requests of no server, as on other runtimes. */
const withoutServer = (handle: (request: Request) => Response | Promise<Response>): SignedServer => ({
  port: 0,
  send: async ({ method, target, headers, body, chunked }) => {
    const fields = new Headers()
    for (const [name, value] of headers) fields.append(name, value)
    if (!chunked && body.length > 0) fields.set('Content-Length', String(body.length))
    const request = new Request(`http://a${target}`, {
      method,
      headers: fields,
      ...(body.length > 0 && { body: new Blob([new Uint8Array(body)]).stream(), duplex: 'half' }),
    })
    const response = await handle(request)
    return { status: response.status, body: await response.text() }
  },
  close: () => undefined,
})

/** An agent that knows nothing of proofs, behind the gate. */
const onGate =
  (send: typeof sendRaw): Serve =>
  async (scheme, seen) => {
    const agent = createServer(
      reading(seen, (req: IncomingMessage) => ({ peer: String(req.headers['totppeer']) })),
    )
    const { port } = await listening(agent)
    const gate = await startReverseProxy({
      scheme,
      listen: { host: '127.0.0.1', port: 0 },
      upstream: new URL(`http://127.0.0.1:${port}`),
      card: 'pass',
      publicPaths: [],
      maxHeaderBytes: 64 * 1024,
      headerTimeoutMs: 10_000,
      upstreamTimeoutMs: 0,
      identityHeader: 'TotpPeer',
      asserter: undefined,
      audience: undefined,
      trusted: new TrustedProxies(['127.0.0.1']),
      observer: unobserved,
    })
    const gatePort = Number(new URL(gate.listeners[0]?.url ?? '').port)
    return {
      port: gatePort,
      send: (request) => send(gatePort, request),
      close: async () => {
        await gate.close()
        agent.close()
        agent.closeAllConnections()
      },
    }
  }

export const signedServers: Readonly<Record<string, Serve>> = {
  'node:http': (scheme, seen) =>
    listening(createServer(forNode.totpGuard(scheme, reading(seen, forNode.callerOf)))),
  'node:http2': (scheme, seen) =>
    listening(
      createHttp2Server(forNode.totpGuard(scheme, reading(seen, forNode.callerOf)) as never) as never,
      sendHttp2,
    ),
  'Express 5': onExpress(express),
  'Express 4': onExpress(require('express-4') as typeof express),
  Fastify: (scheme, seen) => onFastify(scheme, seen, false),
  'Fastify over HTTP/2': (scheme, seen) => onFastify(scheme, seen, true),
  'Hono on Node': (scheme, seen) => onNodeServer(honoApp(scheme, seen).fetch),
  'Hono elsewhere': (scheme, seen) => Promise.resolve(withoutServer(honoApp(scheme, seen).fetch)),
  'Request and Response on Node': (scheme, seen) =>
    onNodeServer((request: Request) => guardedHandler(request, scheme, seen)),
  'Request and Response': (scheme, seen) =>
    Promise.resolve(withoutServer((request) => guardedHandler(request, scheme, seen))),
  'a handler without arguments': (scheme, seen) =>
    onNodeServer((request: Request) => closingHandler(request, scheme, seen)),
  'the gate': onGate(sendRaw),
  'the gate over HTTP/2': onGate(sendHttp2),
}
