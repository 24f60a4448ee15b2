import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import {
  frameworks,
  rawExchange,
  upload,
  type GuardedServer,
  type ServeOptions,
} from '../support/http-frameworks.js'
import { bytesHeld } from '../support/memory.js'

let server: GuardedServer | undefined
afterEach(() => server?.close())

const right = headersOf('alice', someInstant)
const card = '/.well-known/agent-card.json'

const onHono = ['Hono', 'Request and Response']

const rawRequest = (...lines: string[]): string =>
  ['GET /x HTTP/1.1', 'Host: a', 'Connection: close', ...lines, '', ''].join('\r\n')

describe.each(Object.entries(frameworks))('the guard for %s', (framework, serve) => {
  async function start(
    given: Parameters<typeof schemeFor>[1] = {},
    options: Pick<ServeOptions, 'cors' | 'inTimeMs' | 'saying'> = {},
  ) {
    const { scheme, events } = schemeFor(new Clock(), given)
    const through: string[] = []
    server = await serve({ scheme, through: (peer) => through.push(peer), ...options })
    return { ...server, through, events }
  }

  it('lets a caller with both factors through, verified once, and tells the handler who it is', async () => {
    const { origin, through, events } = await start({ replay: 'once' })
    const response = await fetch(`${origin}/a2a?x=1`, { method: 'POST', headers: right, body: '{}' })
    expect([response.status, await response.json()]).toEqual([200, { peer: 'alice' }])
    expect(through).toEqual(['alice'])
    expect(events).toMatchObject([{ type: 'authenticated', peer: 'alice', source: '127.0.0.1' }])
  })

  it('refuses with both challenges, and the body of the contract', async () => {
    const { port, through } = await start()
    const answer = await rawExchange(port, rawRequest(`Authorization: ${bearerOf('alice')}`))
    const lines = answer.split('\r\n')
    expect(lines[0]).toBe('HTTP/1.1 401 Unauthorized')
    const challenges = lines.filter((line) => /^www-authenticate:/i.test(line))
    // Where headers are the web's `Headers`, the two share a line (RFC 9110 §5.3).
    expect(challenges.map((line) => line.replace(/^[^:]*: /, '')).join(', ')).toBe(
      'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"',
    )
    expect(lines.find((line) => /^cache-control:/i.test(line))).toMatch(/: no-store$/)
    expect(lines.find((line) => /^content-type:/i.test(line))).toMatch(
      /: application\/json(; charset=utf-8)?$/,
    )
    const [, body = ''] = answer.split('\r\n\r\n')
    expect(JSON.parse(body)).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } })
    expect(through).toEqual([])
  })

  const code = right['X-TOTP'] ?? ''
  it.each<[what: string, lines: string[]]>([
    ['no token', [`X-TOTP: ${code}`]],
    ['no code', [`Authorization: ${bearerOf('alice')}`]],
    ['a wrong code', [`Authorization: ${bearerOf('alice')}`, `X-TOTP: ${wrongCodeOf(someInstant)}`]],
    ["another peer's code", [`Authorization: ${bearerOf('alice')}`, `X-TOTP: ${codeOf('bob', someInstant)}`]],
    ['an unknown token', ['Authorization: Bearer nobody', `X-TOTP: ${code}`]],
    ['the code twice', [`Authorization: ${bearerOf('alice')}`, `X-TOTP: ${code}`, `x-totp: ${code}`]],
    [
      'a wrong code and the right one',
      [`Authorization: ${bearerOf('alice')}`, 'X-TOTP: 000000', `X-TOTP: ${code}`],
    ],
    [
      'the token twice',
      [`Authorization: ${bearerOf('alice')}`, `authorization: ${bearerOf('alice')}`, `X-TOTP: ${code}`],
    ],
    [
      'a second token',
      [`Authorization: ${bearerOf('alice')}`, 'Authorization: Bearer nobody', `X-TOTP: ${code}`],
    ],
    ['superscripts in Latin-1', [`Authorization: ${bearerOf('alice')}`, 'X-TOTP: \u00b9\u00b2\u00b3456']],
  ])('refuses a request with %s', async (_, lines) => {
    const { port, through } = await start()
    expect(await rawExchange(port, rawRequest(...lines))).toMatch(/^HTTP\/1\.1 401 /)
    expect(through).toEqual([])
  })

  it('asks whoever has put something in front of authenticate', async () => {
    const { scheme } = schemeFor(new Clock())
    const through: string[] = []
    scheme.authenticate = () =>
      Promise.resolve({ refusal: { kind: 'throttled', reason: 'guesses-exhausted', challenges: [] } })
    server = await serve({ scheme, through: (peer) => through.push(peer) })
    expect((await fetch(server.origin, { headers: right })).status).toBe(429)
    expect(through).toEqual([])
  })

  it('leaves exactly the card open, to GET and HEAD', async () => {
    const { origin, through } = await start()
    const statusOf = async (path: string, method: string): Promise<number> =>
      (await fetch(origin + path, { method })).status
    expect(await statusOf(card, 'GET')).toBe(200)
    expect(await statusOf(`${card}?x=1`, 'GET')).toBe(200)
    expect(await statusOf(card, 'HEAD')).toBe(200)
    expect(through).toEqual(['anyone', 'anyone', 'anyone'])
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(await statusOf(card, method)).toBe(401)
    for (const path of [
      '/',
      `${card}/`,
      `${card}x`,
      '/.WELL-KNOWN/agent-card.json',
      `/x${card}`,
      `/x/%2e%2e${card}x`,
    ]) {
      expect([path, await statusOf(path, 'GET')]).toEqual([path, 401])
    }
    expect(through).toHaveLength(3)
  })

  it('leaves preflights to CORS in front of it, and lets browsers read a refusal', async () => {
    const { origin, through } = await start({}, { cors: true })
    const preflight = await fetch(origin, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://app.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,x-totp',
      },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    const refused = await fetch(origin, { headers: { Origin: 'https://app.example' } })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, '*'])
    expect(through).toEqual([])
  })

  it('says when to come back: after too many guesses, and when the state is down', async () => {
    const { origin } = await start({ throttle: { risk: 1, budgets: [{ limit: 1, seconds: 30 }] } })
    await fetch(origin, { headers: { ...right, 'X-TOTP': wrongCodeOf(someInstant) } })
    const throttled = await fetch(origin, { headers: right })
    expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '30'])
    expect(await throttled.json()).toMatchObject({ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } })
    await server?.close()

    const state = { supports: { once: true }, decide: () => Promise.reject(new Error('secret')) }
    const down = await start({ state })
    const response = await fetch(down.origin, { headers: right })
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await response.text()).not.toContain('secret')
  })

  it.each<[unknown]>([
    [{}],
    ['x'],
    [undefined],
    [null],
    [{ caller: null }],
    [{ caller: {} }],
    [{ refusal: null }],
  ])('answers 503 when a scheme that was replaced returns %j', async (outcome) => {
    const { scheme } = schemeFor(new Clock())
    const replaced = Object.assign(Object.create(scheme) as typeof scheme, {
      authenticate: () => Promise.resolve(outcome as never),
    })
    const through: string[] = []
    server = await serve({ scheme: replaced, through: (peer) => through.push(peer) })
    expect((await fetch(server.origin, { headers: right })).status).toBe(503)
    expect(through).toEqual([])
  })

  it('lets an answer stand that something in front gave while the delegate took its time', async () => {
    const failures: unknown[] = []
    const note = (error: unknown): void => void failures.push(error)
    process.on('unhandledRejection', note)
    const delegate = { authenticateToken: () => sleep(200).then(() => ({ refusal: 'at last' })) }
    const { origin, through, events } = await start({ delegate }, { inTimeMs: 50 })
    expect((await fetch(origin, { method: 'POST', headers: right, body: '{}' })).status).toBe(504)
    while (events.length === 0) await sleep(10)
    await sleep(50)
    process.off('unhandledRejection', note)
    expect(failures).toEqual([])
    expect(through).toEqual([])
  })

  it('says the same whatever something in front has said already', async () => {
    const { origin } = await start({}, { saying: { 'Cache-Control': 'public', 'WWW-Authenticate': 'Basic' } })
    const { headers } = await fetch(origin)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('www-authenticate')).toBe('Bearer realm="a2a", TOTP realm="a2a", header="X-TOTP"')
  })

  it('hangs up on whoever goes on sending a body, holds none of it, and goes on serving', async () => {
    const { origin, port } = await start()
    const before = bytesHeld()
    // Hono's server reads refused bodies itself, and hangs up after a while rather than after so many bytes.
    expect((await upload(port, 128)).hungUp || onHono.includes(framework)).toBe(true)
    // What a buffer held is given back a little later.
    await expect.poll(() => bytesHeld() - before).toBeLessThan(16 * 1024 * 1024)
    expect((await fetch(origin, { headers: right })).status).toBe(200)
  })
})
