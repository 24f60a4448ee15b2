import express from 'express'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callerOf, outcomeOf, totpGuard } from '../../src/server/express.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import { TestServer } from '../support/guarded-agent.js'
import { upload } from '../support/http-frameworks.js'
import { bytesHeld } from '../support/memory.js'

const right = headersOf('alice', someInstant)
let server: TestServer
beforeEach(async () => {
  server = await new TestServer().listen()
})
afterEach(() => server.close())

/** Guards the whole server, and notes who got through. */
function guardAll(given: Parameters<typeof schemeFor>[1] = {}): {
  through: string[]
  events: ReturnType<typeof schemeFor>['events']
} {
  const { scheme, events } = schemeFor(new Clock(), given)
  const through: string[] = []
  server.app.use(totpGuard(scheme))
  server.app.use((req, res) => {
    through.push(callerOf(req)?.peer ?? 'nobody')
    res.json({ ok: true })
  })
  return { through, events }
}

/** Everything but the date of an answer on the wire. */
const withoutDate = (answer: string): string => answer.replace(/^Date: .*\r\n/m, '')

const rawRequest = (...lines: string[]): string =>
  ['GET /x HTTP/1.1', 'Host: a', 'Connection: close', ...lines, '', ''].join('\r\n')

describe('totpGuard', () => {
  it('lets a caller with both factors through, and tells the handler who it is', async () => {
    const { through } = guardAll()
    const response = await fetch(`${server.origin}/x`, { headers: right })
    expect(response.status).toBe(200)
    expect(through).toEqual(['alice'])
  })

  it('refuses with two challenges, each on a line of its own', async () => {
    const { through } = guardAll()
    const answer = await server.raw(rawRequest(`Authorization: ${bearerOf('alice')}`))
    expect(answer.split('\r\n')).toEqual(
      expect.arrayContaining([
        'HTTP/1.1 401 Unauthorized',
        'WWW-Authenticate: Bearer realm="a2a", error="invalid_token"',
        'WWW-Authenticate: TOTP realm="a2a", header="X-TOTP"',
        'Cache-Control: no-store',
      ]),
    )
    const [, body = ''] = answer.split('\r\n\r\n')
    expect(JSON.parse(body)).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } })
    expect(through).toEqual([])
  })

  it('refuses on the wire with the same bytes, whatever was wrong', async () => {
    guardAll()
    const authorization = `Authorization: ${bearerOf('alice')}`
    const code = `X-TOTP: ${codeOf('alice', someInstant)}`
    const answers = await Promise.all(
      [
        ['Authorization: Bearer nobody', code],
        ['Authorization: Basic YTpi', code],
        [authorization],
        [authorization, 'X-TOTP: 12'],
        [authorization, `X-TOTP: ${wrongCodeOf(someInstant)}`],
        [authorization, `X-TOTP: ${codeOf('alice', someInstant, { drift: -10 })}`],
        [authorization, code, code],
        [authorization, authorization, code],
      ].map((lines) => server.raw(rawRequest(...lines))),
    )
    expect(new Set(answers.map(withoutDate)).size).toBe(1)
  })

  it.each([
    ['the code', [`X-TOTP: ${right['X-TOTP'] ?? ''}`, `x-totp: ${right['X-TOTP'] ?? ''}`]],
    ['the code, once empty', [`X-TOTP: ${right['X-TOTP'] ?? ''}`, 'X-TOTP:']],
    ['the code, in one line', [`X-TOTP: ${right['X-TOTP'] ?? ''}, ${right['X-TOTP'] ?? ''}`]],
    ['the code, after a wrong one', ['X-TOTP: 000000', `X-TOTP: ${right['X-TOTP'] ?? ''}`]],
  ])('refuses a request with %s twice', async (_, codes) => {
    const { through } = guardAll()
    const answer = await server.raw(rawRequest(`Authorization: ${bearerOf('alice')}`, ...codes))
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(through).toEqual([])
  })

  it.each([
    [bearerOf('alice'), bearerOf('alice')],
    [bearerOf('alice'), 'Bearer nobody'],
    ['Bearer nobody', bearerOf('alice')],
    [bearerOf('alice'), ''],
  ])('refuses a request with two Authorization lines', async (first, second) => {
    const { through } = guardAll()
    const lines = [`Authorization: ${first}`, `authorization: ${second}`, `X-TOTP: ${right['X-TOTP'] ?? ''}`]
    expect(await server.raw(rawRequest(...lines))).toMatch(/^HTTP\/1\.1 401 /)
    expect(through).toEqual([])
  })

  it('refuses superscripts that a header carries as Latin-1', async () => {
    guardAll()
    const lines = [`Authorization: ${bearerOf('alice')}`, 'X-TOTP: \u00b9\u00b2\u00b3456']
    expect(await server.raw(rawRequest(...lines))).toMatch(/^HTTP\/1\.1 401 /)
  })

  it('leaves exactly the card open, to GET and HEAD, below where it is mounted', async () => {
    const { scheme } = schemeFor(new Clock())
    server.app.use('/mounted', totpGuard(scheme))
    server.app.use((_, res) => void res.json({ ok: true }))
    const statusOf = async (path: string, method = 'GET'): Promise<number> =>
      (await fetch(server.origin + path, { method })).status
    const card = '/mounted/.well-known/agent-card.json'
    expect(await statusOf(card)).toBe(200)
    expect(await statusOf(`${card}?x=1`)).toBe(200)
    expect(await statusOf(card, 'HEAD')).toBe(200)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(await statusOf(card, method)).toBe(401)
    const others = [
      '/',
      '/.well-known/agent-card.json/',
      '/.well-known/agent-card.jsonx',
      '/.WELL-KNOWN/agent-card.json',
      '/.well-known/agent-card%2ejson',
      '//.well-known/agent-card.json',
      '/x/.well-known/agent-card.json',
    ]
    for (const path of others) expect([path, await statusOf(`/mounted${path}`)]).toEqual([path, 401])
  })

  it('refuses OPTIONS like anything else', async () => {
    const { through } = guardAll()
    expect((await fetch(server.origin, { method: 'OPTIONS' })).status).toBe(401)
    expect(through).toEqual([])
  })

  it('verifies once, even where a request passes it twice', async () => {
    const { scheme, events } = schemeFor(new Clock(), { replay: 'once' })
    const guard = totpGuard(scheme)
    server.app.use(guard, guard)
    server.app.use('/a2a', guard, (_, res) => void res.json({ ok: true }))
    expect((await fetch(`${server.origin}/a2a`, { headers: right })).status).toBe(200)
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it("takes no other scheme's word for a request", async () => {
    const through: (string | undefined)[] = []
    const strict = schemeFor(new Clock(), { peerSeeds: { bob: peers.bob.seed } })
    server.app.use(totpGuard(schemeFor(new Clock()).scheme))
    server.app.use(totpGuard(strict.scheme))
    server.app.use((req, res) => {
      through.push(callerOf(req)?.peer)
      res.end()
    })
    expect((await fetch(server.origin, { headers: right })).status).toBe(401)
    expect(through).toEqual([])
    await fetch(server.origin, { headers: headersOf('bob', someInstant) })
    expect(through).toEqual(['bob'])
  })

  it('says when to come back: after a replay, and after too many guesses', async () => {
    guardAll({ replay: 'once', throttle: { risk: 1, budgets: [{ limit: 1, seconds: 30 }] } })
    await fetch(server.origin, { headers: right })
    const replay = await fetch(server.origin, { headers: right })
    expect([replay.status, replay.headers.get('retry-after')]).toEqual([401, '15'])

    const guess = { ...right, 'X-TOTP': wrongCodeOf(someInstant) }
    expect((await fetch(server.origin, { headers: guess })).status).toBe(401)
    const throttled = await fetch(server.origin, { headers: right })
    expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '30'])
    expect(throttled.headers.has('www-authenticate')).toBe(false)
  })

  it("takes the socket's address for the source, and a forwarded one only from a trusted proxy", async () => {
    const { events } = guardAll()
    const headers = { ...right, 'X-Forwarded-For': '203.0.113.7' }
    await fetch(server.origin, { headers })
    server.app.set('trust proxy', 'loopback')
    await fetch(server.origin, { headers })
    expect(events.map(({ source }) => source)).toEqual(['127.0.0.1', '203.0.113.7'])
  })

  it('answers 503 when the scheme itself is broken, without saying why', async () => {
    const now = (): Date => {
      throw new Error('no clock')
    }
    const { scheme } = schemeFor(new Clock(), { now })
    server.app.use(totpGuard(scheme))
    const response = await fetch(server.origin, { headers: right })
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('no clock')
  })

  it('keeps a verdict for its own request only: the next one on the connection starts anew', async () => {
    guardAll()
    const answers = await server.raw(
      [
        'GET /1 HTTP/1.1',
        'Host: a',
        `Authorization: ${bearerOf('alice')}`,
        `X-TOTP: ${right['X-TOTP'] ?? ''}`,
        '',
        '',
      ].join('\r\n') + rawRequest(),
    )
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401'])
  })

  it('says nothing about a request that met no guard', async () => {
    const seen: unknown[] = []
    server.app.use((req, res) => {
      seen.push(callerOf(req), outcomeOf(req))
      res.end()
    })
    await fetch(server.origin, { headers: right })
    expect(seen).toEqual([undefined, undefined])
  })
})

describe('totpGuard on a refused body', () => {
  it('answers before the body is parsed', async () => {
    const { scheme } = schemeFor(new Clock())
    server.app.use(totpGuard(scheme), express.json())
    const response = await fetch(server.origin, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"broken":',
    })
    expect(response.status).toBe(401)
  })

  it('lets the sender of a moderate body see the answer, and use the connection again', async () => {
    guardAll()
    const response = await fetch(server.origin, { method: 'POST', body: Buffer.alloc(512 * 1024) })
    expect(response.status).toBe(401)
    const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`
    const answers = await server.raw(post + rawRequest())
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 401'])
  })

  it('hangs up on whoever sends a huge one, and holds none of it in memory', async () => {
    guardAll()
    const before = bytesHeld()
    for (const one of await Promise.all([upload(server.port, 256), upload(server.port, 256)])) {
      expect(one).toMatchObject({ status: 401, hungUp: true })
      // What lies in buffers on the way is more than the megabyte that is read.
      expect(one.sent).toBeLessThan(64 * 1024 * 1024)
    }
    await expect.poll(() => bytesHeld() - before).toBeLessThan(16 * 1024 * 1024)
    expect((await fetch(server.origin, { headers: right })).status).toBe(200)
  })
})

describe('an answer', () => {
  it('holds no seed, token or code', async () => {
    guardAll({ throttle: { risk: 1, budgets: [{ limit: 1, seconds: 30 }] } })
    const wrong = wrongCodeOf(someInstant)
    const authorization = `Authorization: ${bearerOf('alice')}`
    for (const line of [`X-TOTP: ${wrong}`, `X-TOTP: ${right['X-TOTP'] ?? ''}`, 'X-TOTP: 1']) {
      const answer = await server.raw(rawRequest(authorization, line))
      expect(answer).not.toContain(peers.alice.token)
      expect(answer).not.toContain(peers.alice.seed.base32)
      for (const code of [wrong, right['X-TOTP'] ?? '']) expect(answer).not.toContain(code)
    }
  })
})
