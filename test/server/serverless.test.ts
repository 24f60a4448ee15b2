import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import express from 'express'
import fastify, { type FastifyInstance } from 'fastify'
import { Hono } from 'hono'
import { handle } from 'hono/aws-lambda'
import serverless from 'serverless-http'
import { describe, expect, it } from 'vitest'
import * as forExpress from '../../src/server/express.js'
import * as forFastify from '../../src/server/fastify.js'
import * as forFetch from '../../src/server/fetch.js'
import * as forHono from '../../src/server/hono.js'
import * as forNode from '../../src/server/node.js'
import type { TOTPServerAuthScheme } from '../../src/server/index.js'
import { bearerOf, Clock, headersOf, schemeFor, someInstant } from '../support/guarded.js'

const right = headersOf('alice', someInstant)
const token = bearerOf('alice')
const code = right['X-TOTP'] ?? ''

interface Result {
  readonly statusCode: number
  readonly body: string
  readonly headers?: Record<string, string>
  readonly multiValueHeaders?: Record<string, string[]>
}
type Lambda = (event: object, context: object) => Promise<Result>

function fastifyApp(scheme: TOTPServerAuthScheme): FastifyInstance {
  const app = fastify()
  app.addHook('onRequest', forFastify.totpGuard(scheme))
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  app.post('*', (request) => ({ peer: forFastify.callerOf(request)?.peer }))
  return app
}

/** Each framework as a Lambda function, by the adapter that its users take. */
const functions: Record<string, (scheme: TOTPServerAuthScheme) => Lambda> = {
  'Express, by serverless-http': (scheme) => {
    const app = express()
    app.use(forExpress.totpGuard(scheme))
    app.post(/.*/, (req, res) => res.json({ peer: forExpress.callerOf(req)?.peer }))
    return serverless(app as never) as Lambda
  },
  'node:http, by serverless-http': (scheme) =>
    serverless(
      forNode.totpGuard(scheme, (req, res) => {
        res.end(JSON.stringify({ peer: forNode.callerOf(req)?.peer }))
      }),
    ) as Lambda,
  'Fastify, by serverless-http': (scheme) => {
    const app = fastifyApp(scheme)
    // The package looks for other methods first, as those of an older Fastify.
    return serverless({ inject: app.inject.bind(app) } as never) as Lambda
  },
  'Hono, by hono/aws-lambda': (scheme) => {
    const source = ({ env }: { env: unknown }): string => {
      const { requestContext } = env as { requestContext: { identity?: Source; http?: Source } }
      return (requestContext.identity ?? requestContext.http)?.sourceIp ?? ''
    }
    const app = new Hono().use(forHono.totpGuard(scheme, { source }))
    app.post('*', (c) => c.json({ peer: forHono.callerOf(c)?.peer }))
    // Its successor is a package of its own.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return handle(app) as unknown as Lambda
  },
}

interface Source {
  readonly sourceIp: string
}

/** What API Gateway sends: format 2.0 joins lines with a comma, format 1.0 has them apart. */
const eventOf = {
  '2.0': (headers: Record<string, string[]>, body = '{}') => ({
    version: '2.0',
    rawPath: '/x',
    rawQueryString: '',
    headers: joined(headers),
    requestContext: { domainName: 'a', http: { method: 'POST', path: '/x', sourceIp: '192.0.2.9' } },
    body,
  }),
  '1.0': (headers: Record<string, string[]>, body = '{}') => ({
    version: '1.0',
    httpMethod: 'POST',
    path: '/x',
    headers: {},
    multiValueHeaders: headers,
    requestContext: { domainName: 'a', httpMethod: 'POST', identity: { sourceIp: '192.0.2.9' } },
    body,
  }),
}

const joined = (headers: Record<string, string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, lines]) => [name.toLowerCase(), lines.join(',')]))

describe.each(Object.entries(functions))('the guard for %s', (framework, make) => {
  describe.each(['2.0', '1.0'] as const)('with events of format %s', (format) => {
    async function ask(headers: Record<string, string[]>, body?: string) {
      const { scheme, events } = schemeFor(new Clock())
      const result = await make(scheme)(eventOf[format](headers, body), {})
      return { ...result, events }
    }

    it('lets a caller with both factors through, and knows who and where it is', async () => {
      const { statusCode, body, events } = await ask({ Authorization: [token], 'X-TOTP': [code] })
      expect([statusCode, JSON.parse(body)]).toEqual([200, { peer: 'alice' }])
      // Fastify's `inject` makes a request of its own, from here.
      const source = framework.startsWith('Fastify') ? '127.0.0.1' : '192.0.2.9'
      expect(events).toMatchObject([{ type: 'authenticated', source }])
    })

    it.each<[what: string, headers: Record<string, string[]>]>([
      ['nothing', {}],
      ['no code', { Authorization: [token] }],
      ['the code twice', { Authorization: [token], 'X-TOTP': [code, code] }],
      ['the token twice', { Authorization: [token, token], 'X-TOTP': [code] }],
      ['a second token', { Authorization: [token, 'Bearer nobody'], 'X-TOTP': [code] }],
    ])('refuses a request with %s', async (_, headers) => {
      const { statusCode, body } = await ask(headers)
      expect([statusCode, JSON.parse(body)]).toMatchObject([401, { error: { code: 401 } }])
    })

    it('answers with both challenges, also to a long body', async () => {
      const result = await ask({}, 'x'.repeat(3 << 20))
      const fields = { ...result.headers, ...result.multiValueHeaders }
      expect(result.statusCode).toBe(401)
      expect([fields['www-authenticate']].flat().join(', ')).toBe(
        'Bearer realm="a2a", TOTP realm="a2a", header="X-TOTP"',
      )
    })
  })
})

it('lets fastify.inject through with both factors, and refuses a field that was given twice', async () => {
  const app = fastifyApp(schemeFor(new Clock()).scheme)
  const statusOf = async (headers: Record<string, string | string[]>): Promise<number> =>
    (await app.inject({ method: 'POST', url: '/x', headers })).statusCode
  expect(await statusOf(right)).toBe(200)
  expect(await statusOf({ authorization: token })).toBe(401)
  expect(await statusOf({ authorization: token, 'x-totp': [code, code] })).toBe(401)
})

it('sees one of two lines where serverless-http shows no more, as for REST APIs with both kinds of fields', async () => {
  const event = eventOf['1.0']({ Authorization: [token], 'X-TOTP': ['000000', code] })
  const answer = (name: string): Promise<Result> => {
    const make = functions[name] as (scheme: TOTPServerAuthScheme) => Lambda
    return make(schemeFor(new Clock()).scheme)({ ...event, headers: right }, {})
  }
  expect((await answer('Express, by serverless-http')).statusCode).toBe(200)
  expect((await answer('Hono, by hono/aws-lambda')).statusCode).toBe(401)
})

describe('a request that an adapter has made', () => {
  /** Fields in `headers` alone, as adapters set them, unless `rawHeaders` are given. */
  function requestWith(
    headers: object,
    { rawHeaders = [] as unknown[], socket = true } = {},
  ): IncomingMessage {
    const req = new IncomingMessage(new Socket())
    Object.assign(req, { method: 'POST', url: '/x', headers, rawHeaders, complete: true })
    if (!socket) Object.defineProperty(req, 'socket', { value: undefined })
    req.push(null)
    return req
  }

  /** The status that the guard answers with, and the reason in the event. */
  async function outcomeFor(req: IncomingMessage) {
    const { scheme, events } = schemeFor(new Clock())
    const res = new ServerResponse(req)
    await new Promise<void>((done) => {
      res.end = (() => (done(), res)) as never
      forNode.totpGuard(scheme, () => res.end())(req, res)
    })
    const [event] = events
    return [res.statusCode, event?.type === 'refused' ? event.reason : event?.type, event?.source]
  }

  it.each<[what: string, headers: object, status: number, reason: string]>([
    ['both factors', right, 200, 'authenticated'],
    ['lists of one', { authorization: [token], 'x-totp': [code] }, 200, 'authenticated'],
    ['two codes as a list', { authorization: token, 'x-totp': [code, code] }, 401, 'code-doubled'],
    ['two tokens as a list', { authorization: [token, token], 'x-totp': code }, 401, 'token-doubled'],
    [
      'the code in two spellings',
      { authorization: token, 'x-totp': code, 'X-TOTP': code },
      401,
      'code-doubled',
    ],
    ['two codes with a comma', { authorization: token, 'x-totp': `${code}, ${code}` }, 401, 'code-malformed'],
    [
      'two tokens with a comma',
      { authorization: `${token}, ${token}`, 'x-totp': code },
      401,
      'token-malformed',
    ],
    ['no values', { authorization: undefined, 'x-totp': null }, 401, 'token-missing'],
    ['inherited fields', Object.create(right) as object, 401, 'token-missing'],
  ])('is read by its headers where rawHeaders is empty: %s', async (_, headers, status, reason) => {
    expect(await outcomeFor(requestWith(headers))).toEqual([status, reason, undefined])
  })

  it.each<[what: string, rawHeaders: unknown[], reason: string]>([
    ['the token alone', ['Authorization', token], 'code-missing'],
    ['other fields', ['Host', 'a'], 'token-missing'],
    ['a list', ['Authorization', token, 'X-TOTP', [code, code]], 'code-doubled'],
  ])('is read by rawHeaders alone where there are any: %s', async (_, rawHeaders, reason) => {
    expect(await outcomeFor(requestWith(right, { rawHeaders }))).toEqual([401, reason, undefined])
  })

  it('has no source where it has no socket', async () => {
    expect(await outcomeFor(requestWith(right, { socket: false }))).toEqual([200, 'authenticated', undefined])
    expect(await outcomeFor(requestWith({}, { socket: false }))).toEqual([401, 'token-missing', undefined])
  })
})

it('has no source where asking for it fails, as in a Request that came from no connection', async () => {
  const { scheme, events } = schemeFor(new Clock())
  const source = (): string => {
    throw new TypeError('no connection')
  }
  const app = new Hono().use(forHono.totpGuard(scheme, { source })).all('*', (c) => c.text('through'))
  expect((await app.request('/x', { headers: right })).status).toBe(200)
  const request = new Request('http://a/x', { headers: right })
  expect((await forFetch.totpGuard(scheme)(request, () => new Response('through'))).status).toBe(200)
  expect(events.map((event) => ['source' in event, event.type])).toEqual([
    [false, 'authenticated'],
    [false, 'authenticated'],
  ])
})
