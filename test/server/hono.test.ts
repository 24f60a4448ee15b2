import { serve, type HttpBindings } from '@hono/node-server'
import type { AddressInfo, Server } from 'node:net'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { TOTPCallContextBuilder } from '../../src/server/a2a.js'
import { callerOf, outcomeOf, totpGuard, type TOTPGuardEnv } from '../../src/server/hono.js'
import type { Caller } from '../../src/server/index.js'
import { bearerOf, Clock, headersOf, peers, schemeFor, someInstant } from '../support/guarded.js'
import { rawExchange } from '../support/http-frameworks.js'

const right = headersOf('alice', someInstant)

describe('the guard for Hono, without a server', () => {
  it('lets a caller with both factors through, and sets a typed caller', async () => {
    const { scheme } = schemeFor(new Clock())
    const app = new Hono().use(totpGuard(scheme)).get('/x', (c) => {
      expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
      return c.json([c.var.caller.peer, callerOf(c)?.peer, callerOf(c, scheme)?.peer])
    })
    const response = await app.request('/x', { headers: right })
    expect([response.status, await response.json()]).toEqual([200, ['alice', 'alice', 'alice']])
  })

  it('refuses without a code, to HEAD without a body, and does not touch the body', async () => {
    const { scheme } = schemeFor(new Clock())
    const app = new Hono().use(totpGuard(scheme)).all('*', (c) => c.text('through'))
    const request = new Request('http://a/x', { method: 'POST', body: '{}' })
    const refused = await app.fetch(request)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="a2a", TOTP realm="a2a", header="X-TOTP"',
    ])
    expect(request.bodyUsed).toBe(false)
    expect(await (await app.request('/x', { method: 'HEAD' })).text()).toBe('')
  })

  it.each([
    ['X-TOTP', `${right['X-TOTP'] ?? ''}, ${right['X-TOTP'] ?? ''}`],
    ['Authorization', `${bearerOf('alice')}, ${bearerOf('alice')}`],
  ])('refuses %s that came twice, which is one value with a comma', async (name, value) => {
    const { scheme } = schemeFor(new Clock())
    const app = new Hono().use(totpGuard(scheme)).get('/x', (c) => c.text('through'))
    expect((await app.request('/x', { headers: { ...right, [name]: value } })).status).toBe(401)
  })

  it('guards the routes that are added after it', async () => {
    const app = new Hono()
      .get('/before', (c) => c.text('open'))
      .use(totpGuard(schemeFor(new Clock()).scheme))
      .get('/after', (c) => c.text('through'))
    expect([(await app.request('/before')).status, (await app.request('/after')).status]).toEqual([200, 401])
  })

  it('takes the source from a function', async () => {
    const { scheme, events } = schemeFor(new Clock())
    const source = () => '192.0.2.7'
    const app = new Hono().use(totpGuard(scheme, { source })).get('/x', (c) => c.text('through'))
    await app.request('/x', { headers: right })
    expect(events).toMatchObject([{ source: '192.0.2.7' }])
  })

  it('knows the caller also after a middleware that replaced the request, and decides once', async () => {
    const { scheme, events } = schemeFor(new Clock(), { replay: 'once' })
    const app = new Hono<TOTPGuardEnv>()
      .use(totpGuard(scheme), bodyLimit({ maxSize: 100 }), totpGuard(scheme))
      .post('/x', async (c) => c.json([callerOf(c, scheme)?.peer, await c.req.text()]))
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('hello'))
        controller.close()
      },
    })
    const request = new Request('http://a/x', { method: 'POST', headers: right, body, duplex: 'half' })
    expect(await (await app.fetch(request)).json()).toEqual(['alice', 'hello'])
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it("takes no other scheme's word, and each scheme's outcome can be asked for", async () => {
    const { scheme } = schemeFor(new Clock())
    const strict = schemeFor(new Clock(), { peerSeeds: { bob: peers.bob.seed } }).scheme
    const seen: unknown[] = []
    const app = new Hono()
      .use(async (c, next) => {
        await next()
        seen.push(callerOf(c, scheme)?.peer, outcomeOf(c)?.refusal?.reason)
      })
      .use(totpGuard(scheme), totpGuard(strict))
      .get('/x', (c) => c.text('through'))
    expect((await app.request('/x', { headers: right })).status).toBe(401)
    expect(seen).toEqual(['alice', 'peer-unknown'])
  })

  it('reports its caller to the call context builder of its scheme, and to no other', async () => {
    const { scheme } = schemeFor(new Clock())
    const names: unknown[] = []
    const app = new Hono().use(totpGuard(scheme)).get('/x', async (c) => {
      const { userName } = await new TOTPCallContextBuilder(scheme).userBuilder(c)
      const other = new TOTPCallContextBuilder(schemeFor(new Clock()).scheme)
      names.push(userName, await other.userBuilder(c).catch((error: unknown) => error))
      return c.text('through')
    })
    await app.request('/x', { headers: right })
    expect(names).toEqual(['alice', expect.objectContaining({ code: 'ERR_GUARD_MISSING' })])
  })
})

describe('the guard for Hono, on @hono/node-server', () => {
  let server: Server | undefined
  afterEach(() => void server?.close())

  it.each([
    ['token-doubled', [`authorization: ${bearerOf('alice')}`]],
    ['code-doubled', [`x-totp: ${right['X-TOTP'] ?? ''}`]],
  ])('sees header lines as they came: %s', async (reason, twice) => {
    const { scheme, events } = schemeFor(new Clock())
    const app = new Hono<{ Bindings: HttpBindings }>()
      .use(totpGuard(scheme))
      .all('*', (c) => c.text('through'))
    const listening = new Promise<void>((done) => {
      server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => done())
    })
    await listening
    const lines = Object.entries(right).map(([name, value]) => `${name}: ${value}`)
    const request = ['GET /x HTTP/1.1', 'Host: a', 'Connection: close', ...lines, ...twice, '', ''].join(
      '\r\n',
    )
    const answer = await rawExchange((server?.address() as AddressInfo).port, request)
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(events).toMatchObject([{ type: 'refused', reason, source: '127.0.0.1' }])
  })
})
