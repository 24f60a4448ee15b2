import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { defaultProfile } from '../../src/core/profile.js'
import * as forExpress from '../../src/server/express.js'
import * as forFastify from '../../src/server/fastify.js'
import * as forFetch from '../../src/server/fetch.js'
import * as forHono from '../../src/server/hono.js'
import * as forNode from '../../src/server/node.js'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { cardFor } from './agent-card.js'
import { answerTask, parseCall } from './agent-protocol.js'
import { sendJson } from './broken-agent.js'

export interface FrameworkAgent {
  readonly origin: string
  close(): Promise<void>
}

const cardPath = '/.well-known/agent-card.json'

function card(request: IncomingMessage, response: ServerResponse): void {
  const version = request.headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
  sendJson(response, 200, cardFor(version, `http://${request.headers.host ?? ''}`, defaultProfile.header))
}

function call(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => answerTask(response, parseCall(request, Buffer.concat(chunks).toString())))
}

async function listening(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<FrameworkAgent> {
  const server = createServer((request, response) => void listener(request, response))
  server.listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

async function honoAgent(mount: (app: Hono<{ Bindings: HttpBindings }>) => unknown): Promise<FrameworkAgent> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.get(cardPath, ({ env }) => {
    card(env.incoming, env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  mount(app)
  app.all('*', ({ env }) => {
    call(env.incoming, env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  const server = await new Promise<ReturnType<typeof serve>>((done) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => done(made))
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((done) => server.close(() => done())),
  }
}

/** A small A2A agent behind each of our guards, its card in front. */
export const frameworkAgents: Readonly<
  Record<string, (scheme: TOTPServerAuthScheme) => Promise<FrameworkAgent>>
> = {
  Express: (scheme) => {
    const app = express()
    app.get(cardPath, card)
    app.use(forExpress.totpGuard(scheme))
    app.use(call)
    return listening(app)
  },
  Fastify: async (scheme) => {
    const app = fastify()
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    app.get(cardPath, (request, reply) => {
      reply.hijack()
      card(request.raw, reply.raw)
    })
    await app.register((guarded, _, done) => {
      guarded.addHook('onRequest', forFastify.totpGuard(scheme))
      guarded.all('/*', (request, reply) => {
        reply.hijack()
        call(request.raw, reply.raw)
      })
      done()
    })
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    return { origin, close: () => (app.server.closeAllConnections(), app.close()) }
  },
  Hono: (scheme) => honoAgent((app) => app.use(forHono.totpGuard(scheme))),
  'Request and Response': (scheme) => {
    const guard = forFetch.totpGuard(scheme)
    return honoAgent((app) =>
      app.use((c, next) =>
        guard(c.req.raw, () => next().then(() => c.res), c.env.incoming.socket.remoteAddress),
      ),
    )
  },
  'node:http': (scheme) => {
    const guarded = forNode.totpGuard(scheme, call)
    return listening((request, response) =>
      request.url === cardPath ? card(request, response) : guarded(request, response),
    )
  },
}
