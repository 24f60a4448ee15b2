import { describe, expect, it } from 'vitest'
import { httpAnswer } from '../../../src/server/scheme/refusal.js'
import {
  askAs,
  authz,
  deniedAfter,
  exactFronts,
  fieldOf,
  fieldsOf,
  fronts,
  plain,
  seenOf,
  subRequests,
} from '../../support/authz.js'
import { Clock, headersOf, peers, schemeFor, someInstant, wrongCodeOf } from '../../support/guarded.js'
import { sendRaw, type Answer } from '../../support/signed-requests.js'

const good = headersOf('alice', someInstant)
const bearer = `Bearer ${peers.alice.token}`
const wrong = { Authorization: bearer, 'X-TOTP': wrongCodeOf(someInstant) }

/** What the client of a front gets. */
const shown = ({ denied, ...answer }: Answer & { denied?: Answer }): object => seenOf(denied ?? answer)

const refused: readonly (readonly [what: string, headers: readonly (readonly [string, string])[]])[] = [
  ['nothing', []],
  ['the token alone', [['Authorization', bearer]]],
  ['the code alone', [['X-TOTP', good['X-TOTP'] ?? '']]],
  ['a wrong code', Object.entries(wrong)],
  ['a malformed code', Object.entries({ ...good, 'X-TOTP': '12345a' })],
  ['an unknown token', Object.entries({ ...good, Authorization: 'Bearer a2at_unknown' })],
  ['a malformed token', Object.entries({ ...good, Authorization: `Basic ${peers.alice.token}` })],
  ['two tokens', [...Object.entries(good), ['Authorization', bearer]]],
  ['two codes', [...Object.entries(good), ['X-TOTP', good['X-TOTP'] ?? '']]],
  ['two codes in one line', Object.entries({ ...good, 'X-TOTP': `${good['X-TOTP']}, ${good['X-TOTP']}` })],
  [
    'an alias of the field',
    [
      ['Authorization', bearer],
      ['X_TOTP', good['X-TOTP'] ?? ''],
    ],
  ],
]

describe.each(fronts)('/auth/%s', (front) => {
  it('names the caller of a request with both factors, and sends no content', async () => {
    const { port, calls } = await authz(schemeFor(new Clock()).scheme)
    const answer = await askAs(front, port, plain(good))
    expect(seenOf(answer)).toEqual({
      status: 200,
      headers: [
        ['totppeer', 'alice'],
        ['totpproof', 'code'],
        ['cache-control', 'no-store'],
        ['content-length', '0'],
      ],
      body: '',
    })
    expect(calls).toMatchObject([
      {
        role: 'authz',
        status: '200',
        method: 'POST',
        path: '/a2a',
        proof: 'plain',
        outcome: { caller: { peer: 'alice' } },
      },
    ])
  })

  it.each(refused)('refuses %s in the bytes of the guards', async (what, headers) => {
    const { scheme } = schemeFor(new Clock())
    const lines = (name: string): string[] =>
      headers.flatMap(([one, value]) => (one.toLowerCase() === name ? [value] : []))
    const { refusal } = await scheme.authenticate({
      binding: 'http',
      method: 'POST',
      target: '/a2a',
      header: lines,
    })
    if (!refusal) throw new Error(`${what} was let in`)
    const expected = httpAnswer(refusal)
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const answer = await askAs(front, port, { ...plain(), headers })
    expect(shown(answer)).toEqual({
      ...expected,
      headers: expected.headers.map(([name, value]) => [name.toLowerCase(), value]),
    })
  })

  it('limits guesses, and passes on when to try again', async () => {
    const { port, calls } = await authz(
      schemeFor(new Clock(), { throttle: { budgets: [{ limit: 2, seconds: 3600 }] } }).scheme,
    )
    for (let guess = 0; guess < 2; guess++) {
      await askAs(front, port, plain({ ...wrong, 'X-TOTP': wrongCodeOf(someInstant, guess) }))
    }
    const answer = await askAs(front, port, plain(good))
    expect(shown(answer)).toMatchObject({ status: 429 })
    expect(fieldOf(answer.denied ?? answer, 'retry-after')).toMatch(/^[1-9][0-9]*$/)
    expect(calls.at(-1)).toMatchObject({
      status: '429',
      outcome: { refusal: { reason: 'guesses-exhausted', peer: 'alice' } },
    })
  })

  it('limits unknown tokens by the address that the front writes, and not by what the client wrote before it', async () => {
    const throttle = { strangers: { perMinute: 3 } }
    const { port } = await authz(schemeFor(new Clock(), { throttle }).scheme)
    const unknown = (forwarded: string, nth: number): Promise<Answer> =>
      askAs(
        front,
        port,
        plain({
          Authorization: `Bearer a2at_unknown${nth}`,
          'X-TOTP': '123456',
          'X-Forwarded-For': forwarded,
        }),
      )
    for (let nth = 0; nth < 3; nth++) await unknown(`198.51.100.${nth}, 192.0.2.1`, nth)
    expect(shown(await unknown('192.0.2.2', 4))).toMatchObject({ status: 401 })
    expect(shown(await unknown('203.0.113.9, 192.0.2.1', 5))).toMatchObject({ status: 429 })
    expect(shown(await askAs(front, port, plain({ ...good, 'X-Forwarded-For': '192.0.2.1' })))).toMatchObject(
      { status: 200 },
    )
  })

  it('answers 503 when the state cannot be asked', async () => {
    const state = { supports: { once: true, proofs: true }, decide: () => Promise.reject(new Error('down')) }
    const { port } = await authz(schemeFor(new Clock(), { state }).scheme)
    const answer = await askAs(front, port, plain(good))
    expect(shown(answer)).toMatchObject({ status: 503 })
    expect(fieldOf(answer.denied ?? answer, 'retry-after')).toBe('5')
  })

  it('exempts nothing, whatever the path, the method and the fields', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const forged = {
      'X-Forwarded-Uri': '/.well-known/agent-card.json',
      'X-Original-URI': '/.well-known/agent-card.json',
      'X-Forwarded-Method': 'OPTIONS',
      'X-Original-Method': 'OPTIONS',
      'User-Agent': 'kube-probe/1.30',
      TotpPeer: 'alice',
      TotpStatus: '200',
      'X-Forwarded-Host': 'localhost',
      Forwarded: 'for=127.0.0.1',
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
      for (const target of ['/.well-known/agent-card.json', '/healthz', '/metrics', '/denied']) {
        const answer = await askAs(front, port, plain(forged, { method, target }))
        expect(answer.status, `${method} ${target}`).toBe(401)
        expect(fieldOf(answer, 'totppeer')).toBeUndefined()
      }
    }
  })

  it('is refused at once with a body that never comes', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const sub = subRequests[front](plain({}, { method: 'GET' }))
    const answer = await sendRaw(port, { ...sub, headers: [...sub.headers, ['Content-Length', '1000000']] })
    expect(answer.status).toBe(401)
  })
})

describe.each(exactFronts)('/auth/%s, whose answers clients get as they are', (front) => {
  it('answers requests of gRPC in plain text', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;x=1']) {
      const answer = await askAs(front, port, plain({ 'Content-Type': type }))
      expect(answer).toMatchObject({
        status: 401,
        body: 'a bearer token and a valid one-time code are required',
      })
      expect(fieldOf(answer, 'content-type')).toBe('text/plain; charset=utf-8')
      expect(fieldsOf(answer).filter(([name]) => name === 'WWW-Authenticate')).toHaveLength(2)
    }
    expect((await askAs(front, port, plain({ 'Content-Type': 'application/grpc-web' }))).body).toMatch(
      /^\{"error":/,
    )
  })
})

describe('/auth/nginx', () => {
  it('answers 401 without a challenge of its own, which nginx would add to the true one', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const answer = await askAs('nginx', port, plain(wrong))
    expect(seenOf(answer)).toEqual({
      status: 401,
      headers: [
        ['totpstatus', '401'],
        ['totpchallenges', 'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"'],
        ['cache-control', 'no-store'],
        ['content-length', '0'],
      ],
      body: '',
    })
  })

  it('passes on that proofs are required', async () => {
    const { port } = await authz(schemeFor(new Clock(), { agent: 'billing', signed: 'require' }).scheme, {
      bodyUnchecked: true,
    })
    const exact = await askAs('caddy', port, plain(good))
    expect(fieldOf(exact, 'accept-signature')).toMatch(/^a2a-totp=/)
    const { denied } = await askAs('nginx', port, plain(good))
    expect(seenOf(denied ?? exact)).toEqual(seenOf(exact))
    expect(denied).toBeDefined()
  })
})

describe('/denied', () => {
  const values = [
    '',
    '0',
    '99',
    '200',
    '204',
    '301',
    '304',
    '399',
    '400',
    '403',
    '1e3',
    '401 ',
    '-401',
    '500',
    '503\t',
    '４０１',
  ]
  it.each(values)('never answers below 400: %j', async (status) => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
      const headers = [
        ['TotpStatus', Buffer.from(status).toString('latin1')],
        ['TotpChallenges', 'Basic realm="x"'],
        ['TotpRetryAfter', '-1'],
      ] as const
      const answer = await sendRaw(port, { ...plain({}, { method, target: '/denied' }), headers })
      expect(answer.status, method).toBeGreaterThanOrEqual(400)
      expect(fieldOf(answer, 'retry-after')).toBeUndefined()
      expect(answer.head).not.toContain('Basic')
    }
  })

  it('lets nobody in who has both factors', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    expect((await sendRaw(port, plain(good, { method: 'GET', target: '/denied' }))).status).toBe(503)
  })

  it('takes a doubled field for none', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const headers = [
      ['TotpStatus', '401'],
      ['TotpStatus', '429'],
    ] as const
    expect((await sendRaw(port, { ...plain({}, { target: '/denied' }), headers })).status).toBe(503)
  })

  it('replays challenges of this agent alone, and its usual ones in place of others', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const headers = [
      ['TotpStatus', '401'],
      ['TotpChallenges', 'Basic realm="a", header="X-TOTP"'],
    ] as const
    const answer = await sendRaw(port, { ...plain({}, { method: 'GET', target: '/denied' }), headers })
    expect(fieldsOf(answer).filter(([name]) => name === 'WWW-Authenticate')).toEqual([
      ['WWW-Authenticate', 'Bearer realm="a2a"'],
      ['WWW-Authenticate', 'TOTP realm="a2a", header="X-TOTP"'],
    ])
  })

  it('answers nothing but plain text where gRPC comes over HTTP/1.1', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const sub = await askAs('nginx', port, plain(wrong))
    const answer = await sendRaw(port, deniedAfter(sub, [['Content-Type', 'application/grpc']]))
    expect(answer).toMatchObject({
      status: 401,
      body: 'a bearer token and a valid one-time code are required',
    })
  })
})

describe('the listener', () => {
  it.each([
    '/',
    '/auth',
    '/auth/',
    '/auth/nginx/',
    '/auth/NGINX',
    '/auth/caddy/a',
    '/auth/envoyx',
    '/%61uth/nginx',
    '/denied/',
    '/auth/constructor',
    '/healthz',
    '/metrics',
    '/.well-known/agent-card.json',
    '//auth/nginx',
    '/x/../auth/nginx',
  ])('answers 404 at %s', async (target) => {
    const { port, calls } = await authz(schemeFor(new Clock()).scheme)
    expect((await sendRaw(port, plain(good, { target }))).status).toBe(404)
    expect(calls).toMatchObject([{ own: 'not-found', status: '404' }])
  })

  it('answers HEAD with the same head and no content', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    const get = await sendRaw(port, plain({}, { method: 'GET', target: '/auth/caddy' }))
    const head = await sendRaw(port, plain({}, { method: 'HEAD', target: '/auth/caddy' }))
    expect(seenOf(head)).toEqual({ ...seenOf(get), body: '' })
  })

  it('ignores the query, which Caddy keeps', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme)
    for (const front of ['nginx', 'caddy', 'traefik', 'haproxy', 'envoy']) {
      expect((await sendRaw(port, plain(good, { target: `/auth/${front}?a=b` }))).status).toBe(200)
    }
  })

  it('answers 503 when the caller cannot be named', async () => {
    const { port } = await authz(schemeFor(new Clock()).scheme, {
      identityOf: () => {
        throw new Error('no key')
      },
    })
    expect((await sendRaw(port, plain(good, { target: '/auth/caddy' }))).status).toBe(503)
  })

  it.each(['a\u00e9', ' alice', ''])('lets nobody in by a name that no field can carry: %j', async (name) => {
    const { port } = await authz(schemeFor(new Clock()).scheme, { identityOf: () => [['TotpPeer', name]] })
    expect((await sendRaw(port, plain(good, { target: '/auth/caddy' }))).status).toBe(503)
  })
})

describe('a token for fronts', () => {
  const frontToken = 'front-0123456789abcdef'
  const field = (value: string) => ['TotpAuthzToken', value] as const
  const ask = async (target: string, ...lines: (readonly [string, string])[]): Promise<Answer> => {
    const { port } = await authz(schemeFor(new Clock()).scheme, { frontToken })
    return sendRaw(port, { ...plain({}, { target }), headers: [...Object.entries(good), ...lines] })
  }

  it('is asked for before anything else', async () => {
    for (const lines of [
      [],
      [field('front-0123456789abcdeg')],
      [field('')],
      [field(frontToken), field(frontToken)],
    ]) {
      for (const front of exactFronts) expect((await ask(`/auth/${front}`, ...lines)).status).toBe(403)
      const nginx = await ask('/auth/nginx', ...lines)
      expect(nginx.status).toBe(401)
      expect(nginx.head).not.toMatch(/totp|authenticate/i)
      expect((await ask('/denied', ...lines)).status).toBe(403)
      expect((await ask('/elsewhere', ...lines)).status).toBe(403)
    }
  })

  it('opens the endpoints, and is repeated nowhere', async () => {
    for (const front of fronts) {
      const answer = await ask(`/auth/${front}`, field(frontToken))
      expect(answer.status).toBe(200)
      expect(answer.head).not.toContain(frontToken)
    }
    expect((await ask('/denied', field(frontToken))).status).toBe(503)
  })

  it.each(['0.0.0.0', '::'])('is needed to listen at %s', async (host) => {
    const { scheme } = schemeFor(new Clock())
    for (const where of ['http', 'grpc']) {
      await expect(authz(scheme, { [where]: { host, port: 0 } })).rejects.toMatchObject({ code: 'ERR_USAGE' })
    }
  })
})
