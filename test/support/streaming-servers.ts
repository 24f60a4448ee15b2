import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2Server } from 'node:http2'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import * as forExpress from '../../src/server/express.js'
import * as forFastify from '../../src/server/fastify.js'
import * as forFetch from '../../src/server/fetch.js'
import * as forHono from '../../src/server/hono.js'
import * as forNode from '../../src/server/node.js'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'

/** A server behind the guard of some framework, which answers as its test tells it. */
export interface StreamingServer {
  readonly port: number
  close(): Promise<void>
}

/** What the handlers wait for: `/stream` streams, `/wait` answers and `/late` streams once it is opened. */
export class Gate {
  open = (): void => undefined
  readonly opened = new Promise<void>((done) => (this.open = done))
  /** How many handlers got to run. */
  entered = 0
}

const sse = { 'Content-Type': 'text/event-stream' }
export const firstEvent = 'data: first\n\n'
const require = createRequire(import.meta.url)

async function answer(gate: Gate, req: { url?: string | undefined }, res: ServerResponse): Promise<void> {
  gate.entered++
  if (req.url !== '/stream') await gate.opened
  if (req.url === '/wait') {
    res.setHeader('Content-Type', 'application/json')
    res.end('{"whole":true}')
    return
  }
  res.writeHead(200, sse)
  res.write(firstEvent)
}

async function started(server: Server | Http2Server, closeAll: () => void): Promise<StreamingServer> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      closeAll()
      await closed
    },
  }
}

function listen(listener: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<StreamingServer> {
  const server = createServer((req, res) => void listener(req, res))
  return started(server, () => server.closeAllConnections())
}

function expressServer(
  make: typeof express,
  scheme: TOTPServerAuthScheme,
  gate: Gate,
): Promise<StreamingServer> {
  const app = make()
  app.use(forExpress.totpGuard(scheme))
  app.use((req, res) => void answer(gate, req, res))
  return listen(app)
}

/** An endless body, or one that is made whole. */
async function respond(gate: Gate, path: string): Promise<Response> {
  gate.entered++
  if (path !== '/stream') await gate.opened
  if (path === '/wait') return Response.json({ whole: true })
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(firstEvent)),
  })
  return new Response(body, { headers: sse })
}

async function onHono(
  fetchWith: (request: Request, env: object) => Response | Promise<Response>,
): Promise<StreamingServer> {
  const server = serve({ fetch: fetchWith, port: 0, hostname: '127.0.0.1' }) as Server & {
    closeAllConnections(): void
  }
  if (!server.listening) await once(server, 'listening')
  return started(server, () => server.closeAllConnections())
}

function honoApp(scheme: TOTPServerAuthScheme, gate: Gate): Hono {
  const app = new Hono()
  app.use(forHono.totpGuard(scheme))
  app.all('*', async (c) => {
    if (c.req.path !== '/stream') return respond(gate, c.req.path)
    gate.entered++
    return streamSSE(c, async (stream) => {
      await stream.writeSSE({ data: 'first' })
      await new Promise((done) => stream.onAbort(() => done(undefined)))
    })
  })
  return app
}

/** Each framework, with the guard as its docs mount it. */
export const streamingServers: Readonly<
  Record<string, (scheme: TOTPServerAuthScheme, gate: Gate) => Promise<StreamingServer>>
> = {
  'Express 5': (scheme, gate) => expressServer(express, scheme, gate),
  'Express 4': (scheme, gate) => expressServer(require('express-4') as typeof express, scheme, gate),
  Fastify: async (scheme, gate) => {
    const app = fastify({ forceCloseConnections: true })
    app.addHook('onRequest', forFastify.totpGuard(scheme))
    app.all('*', async ({ url }, reply) => {
      const { status, headers, body } = await respond(gate, url)
      return reply.code(status).headers(Object.fromEntries(headers)).send(body)
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
  },
  Hono: (scheme, gate) => onHono(honoApp(scheme, gate).fetch),
  'Hono, on a runtime without node:http': (scheme, gate) =>
    onHono((request) => honoApp(scheme, gate).fetch(request)),
  'Request and Response': (scheme, gate) => {
    const guard = forFetch.totpGuard(scheme)
    return onHono((request) => guard(request, () => respond(gate, new URL(request.url).pathname)))
  },
  'node:http': (scheme, gate) => listen(forNode.totpGuard(scheme, (req, res) => void answer(gate, req, res))),
}

/** Plain HTTP/2 on the compatibility interface. */
export async function http2Server(scheme: TOTPServerAuthScheme, gate: Gate): Promise<StreamingServer> {
  const listener = forNode.totpGuard(scheme, (req, res) => void answer(gate, req, res)) as unknown
  const server = createHttp2Server(listener as Parameters<typeof createHttp2Server>[1] & RequestListener)
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => sessions.add(session))
  return started(server, () => sessions.forEach((session) => session.destroy()))
}
