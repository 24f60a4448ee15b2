import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { Message } from '@a2a-js/sdk'
import { jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import { serve } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TOTPCallContextBuilder } from '../../../src/server/a2a.js'
import * as forExpress from '../../../src/server/express.js'
import * as forFetch from '../../../src/server/fetch.js'
import * as forHono from '../../../src/server/hono.js'
import { agentOf } from '../../support/guarded-agent.js'
import { Clock, schemeFor } from '../../support/guarded.js'
import { agent } from '../../support/proof-of.js'
import { headOf, sendRaw, signed, type SentRequest } from '../../support/signed-requests.js'

let server: Server | undefined
afterEach(() => {
  vi.restoreAllMocks()
  server?.close()
  server?.closeAllConnections()
})

const schemeWith = () => schemeFor(new Clock(), { replay: 'once', signed: 'require', agent })

async function portOf(own: Server): Promise<number> {
  server = own
  if (!own.listening) await once(own, 'listening')
  return (own.address() as AddressInfo).port
}

const message = Message.toJSON(
  Message.fromJSON({ messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] }),
)
const version = { 'A2A-Version': '1.0' }

describe("the SDK's handlers behind the guard for Express", () => {
  const sends: Record<string, () => SentRequest> = {
    'JSON-RPC': () =>
      signed({
        target: '/a2a/jsonrpc',
        headers: version,
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message } }),
      }),
    'HTTP+JSON': () =>
      signed({ target: '/a2a/rest/message:send', headers: version, body: JSON.stringify({ message }) }),
  }

  it.each(Object.entries(sends))('answer signed calls, and no others: %s', async (_, send) => {
    const { scheme } = schemeWith()
    const { requestHandler, executor } = agentOf('http://127.0.0.1:1')
    const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
    const handlers = { requestHandler, userBuilder, contextBuilder }
    const app = express()
    app.use('/a2a', forExpress.totpGuard(scheme))
    app.use('/a2a/jsonrpc', jsonRpcHandler(handlers))
    app.use('/a2a/rest', restHandler(handlers))
    const port = await portOf(createServer(app as never).listen(0, '127.0.0.1'))
    for (let round = 0; round < 3; round++) {
      const { status, body } = await sendRaw(port, send())
      expect(status).toBe(200)
      expect(body).not.toContain('error')
    }
    const request = send()
    const changed = { ...request, body: Buffer.from(request.body.toString().replace('"hi"', '"ho"')) }
    expect((await sendRaw(port, changed)).status).toBe(401)
    expect((await sendRaw(port, request)).status).toBe(401)
    expect(executor.calls).toHaveLength(3)
    expect(new Set(executor.calls.map(({ context }) => context.user?.userName))).toEqual(new Set(['alice']))
  })
})

const longBody = Buffer.alloc(200_000, 'x')
const longChanged = (): SentRequest => {
  const request = signed({ body: longBody })
  return { ...request, body: Buffer.concat([request.body.subarray(1), Buffer.from('y')]) }
}

describe('on @hono/node-server', () => {
  it.each(['Hono', 'Request and Response'])(
    'a client that leaves does not make a body whole: %s',
    async (which) => {
      vi.spyOn(console, 'error').mockImplementation(() => undefined)
      const { scheme, events } = schemeWith()
      let started = 0
      let ended = 0
      const read = async (request: Request): Promise<Response> => {
        started++
        await request.text()
        ended++
        return new Response('read')
      }
      const guard = forFetch.totpGuard(scheme)
      const { fetch } =
        which === 'Hono'
          ? new Hono().use(forHono.totpGuard(scheme)).post('*', (c) => read(c.req.raw))
          : { fetch: (request: Request) => guard(request, read) }
      const port = await portOf(serve({ fetch, port: 0, hostname: '127.0.0.1' }) as Server)
      for (let round = 1; round <= 5; round++) {
        const request = longChanged()
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        socket.write(headOf(request))
        socket.write(request.body.subarray(0, 100_000))
        await expect.poll(() => started).toBe(round)
        // All of it, and gone before the answer.
        socket.write(request.body.subarray(100_000), () => socket.resetAndDestroy())
        await once(socket, 'close')
      }
      expect((await sendRaw(port, signed())).status).toBe(200)
      expect(ended).toBe(1)
      expect(events.filter(({ type }) => type === 'authenticated')).toHaveLength(6)
    },
  )

  it("withholds the end from handlers that read Node's own request, too", async () => {
    const { scheme } = schemeWith()
    let ended = 0
    const app = new Hono<{ Bindings: { incoming: NodeJS.ReadableStream } }>()
    app.use(forHono.totpGuard(scheme))
    app.post('*', async (c) => {
      c.env.incoming.resume()
      await once(c.env.incoming, 'end')
      ended++
      return c.text('read')
    })
    const port = await portOf(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
    expect((await sendRaw(port, signed({ body: longBody }))).body).toBe('read')
    expect((await sendRaw(port, longChanged())).status).toBe(401)
    expect(ended).toBe(1)
  })
})

describe('the guard for requests and responses', () => {
  function requestOf({ target, method, headers, body }: SentRequest): Request {
    const stream = new Blob([new Uint8Array(body)]).stream()
    const init = {
      method,
      headers: headers.map(([a, b]): [string, string] => [a, b]),
      body: stream,
      duplex: 'half',
    }
    return new Request(`http://a${target}`, init as RequestInit)
  }

  it('answers 401 whatever a handler makes of a body that failed', async () => {
    const { scheme, events } = schemeWith()
    const request = requestOf(longChanged())
    const response = await forFetch.totpGuard(scheme)(request, async (checked) => {
      expect(forFetch.callerOf(checked)?.peer).toBe('alice')
      await checked.text().catch(() => undefined)
      return new Response('fine')
    })
    expect(response.status).toBe(401)
    expect(forFetch.callerOf(request)).toBeUndefined()
    expect(forFetch.outcomeOf(request)?.refusal?.reason).toBe('proof-digest')
    expect(events.map(({ type }) => type)).toEqual(['authenticated', 'refused'])
  })

  it.each(['text', 'json', 'arrayBuffer', 'blob', 'formData', 'body', 'clone', 'a copy'])(
    'lets nobody read an unchecked body by the request that it was given: %s',
    async (how) => {
      const request = requestOf(longChanged())
      const read: Record<string, () => Promise<unknown>> = {
        body: () => new Response(request.body).text(),
        clone: () => request.clone().text(),
        'a copy': async () => new Request(request).text(),
      }
      let got: unknown
      const response = await forFetch
        .totpGuard(schemeWith().scheme)(request, async () => {
          const reader = read[how] ?? ((request as never)[how] as () => Promise<unknown>).bind(request)
          got = await reader()
          return new Response('read')
        })
        .catch(() => undefined)
      expect(got).toBeUndefined()
      expect(response?.status ?? 500).toBeGreaterThanOrEqual(401)
    },
  )

  it('refuses a request whose body somebody has read', async () => {
    const { scheme, events } = schemeWith()
    const request = requestOf(signed())
    await request.text()
    expect((await forFetch.totpGuard(scheme)(request, () => new Response('through'))).status).toBe(503)
    expect(events).toMatchObject([{ cause: 'content-unseen' }])
  })

  it('leaves plain requests as they are', async () => {
    const { scheme } = schemeFor(new Clock(), { replay: 'reuse', signed: 'accept', agent })
    const plain = signed()
    const headers = plain.headers.filter(([name]) => !name.startsWith('signature'))
    const request = requestOf({ ...plain, headers })
    let given: unknown
    await forFetch.totpGuard(scheme)(request, (one) => {
      given = one
      return new Response('through')
    })
    expect(given).toBe(request)
  })
})
