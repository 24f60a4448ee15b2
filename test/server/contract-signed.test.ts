import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { totpGuard, callerOf } from '../../src/server/express.js'
import { TOTPServerAuthScheme, type AuthEvent } from '../../src/server/index.js'
import {
  codeAt,
  send,
  signByHand,
  type Call,
  type HandSigned,
  type RawAnswer,
} from '../support/signed-by-hand.js'

/* Contract section 7 at an Express agent, with requests that are signed by hand. */

const seed = 'ZLWB7MXUZEY3Q4UFAIATM4A6QKSDN4YX'
const other = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR'
const token = 'a2at_one'
/** When the servers of these tests start, in unix seconds; half an hour later they know all time steps. */
const start = 1_795_460_400
type Policy = 'off' | 'observe' | 'accept' | 'require'

interface Options {
  readonly signed?: Policy
  readonly own?: Policy
  readonly replay?: 'once' | 'reuse'
  readonly pathPrefix?: string
}

interface Agent {
  readonly events: AuthEvent[]
  readonly bodies: string[]
  readonly callers: unknown[]
  /** Moves the clock, in seconds. */
  readonly later: (seconds: number) => void
  readonly seconds: () => number
  readonly send: (request: HandSigned) => Promise<RawAnswer>
  readonly sign: (call?: Partial<Call>) => HandSigned
  readonly plain: (code?: string, more?: Partial<HandSigned>) => HandSigned
}

async function serve({
  signed = 'accept',
  own = signed,
  replay = 'once',
  pathPrefix,
}: Options = {}): Promise<Agent> {
  let now = start
  const events: AuthEvent[] = []
  const bodies: string[] = []
  const callers: unknown[] = []
  const scheme = new TOTPServerAuthScheme({
    agent: 'billing',
    peerSeeds: {
      alice: { seeds: [{ id: 's-1', seed }], signed },
      bob: { seeds: [{ id: 's-2', seed: other }], signed },
    },
    tokenToPeer: { [token]: 'alice', a2at_two: 'bob' },
    replay,
    signed: own,
    now: () => new Date(now * 1000),
    onEvent: (event) => void events.push(event),
    ...(pathPrefix !== undefined && { pathPrefix }),
  })
  const app = express()
  app.use(totpGuard(scheme))
  app.use(express.text({ type: () => true }))
  app.use((req, res) => {
    bodies.push(req.body as string)
    callers.push(callerOf(req))
    res.json({ ok: true })
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  now += 1800
  return {
    events,
    bodies,
    callers,
    later: (seconds) => void (now += seconds),
    seconds: () => now,
    send: (request) => send(port, request),
    sign: (call = {}) => signByHand({ seed, token, agent: 'billing', created: now, ...call }),
    plain: (code = codeAt(seed, now), more = {}) => ({
      method: 'POST',
      target: '/a2a',
      body: '{}',
      fields: { authorization: `Bearer ${token}`, 'x-totp': code },
      ...more,
    }),
  }
}

const without = (request: HandSigned, ...names: string[]): HandSigned => ({
  ...request,
  fields: Object.fromEntries(Object.entries(request.fields).filter(([name]) => !names.includes(name))),
})
const withFields = (request: HandSigned, fields: Record<string, string>): HandSigned => ({
  ...request,
  fields: { ...request.fields, ...fields },
})
const statuses = async (agent: Agent, ...requests: HandSigned[]): Promise<number[]> => {
  const found: number[] = []
  for (const request of requests) found.push((await agent.send(request)).status)
  return found
}
const wrongCode = (agent: Agent, nth = 0): string => {
  const right = new Set(
    [...Array(200).keys()].map((step) => codeAt(seed, agent.seconds() + (step - 100) * 30)),
  )
  let guess = 0
  for (let skipped = 0; ; guess++) {
    const code = String(guess).padStart(6, '0')
    if (!right.has(code) && skipped++ === nth) return code
  }
}

describe('policies', () => {
  it('off ignores proofs, also broken ones', async () => {
    const agent = await serve({ signed: 'off', replay: 'reuse' })
    const request = agent.sign()
    expect(
      await statuses(agent, request, request, withFields(request, { signature: 'x' }), agent.plain()),
    ).toEqual([200, 200, 200, 200])
    expect(agent.events.every((event) => !('proof' in event))).toBe(true)
    expect(agent.callers).toMatchObject(Array(4).fill({ peer: 'alice', proof: 'code' }))
  })

  it('observe decides as off, reports, claims nothing and withholds nothing', async () => {
    const agent = await serve({ signed: 'observe', replay: 'reuse' })
    const request = agent.sign()
    const answers = await statuses(
      agent,
      request,
      request,
      withFields(request, { signature: 'a2a-totp=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:' }),
      agent.plain(),
      { ...request, body: '{"hello":2}' },
    )
    expect(answers).toEqual([200, 200, 200, 200, 200])
    expect(agent.bodies.at(-1)).toBe('{"hello":2}')
    expect(agent.events.filter(({ type }) => type === 'authenticated')).toMatchObject([
      { proof: 'valid' },
      { proof: 'valid' },
      { proof: 'invalid', proofReason: 'proof-mac' },
      { proof: 'absent' },
      { proof: 'valid' },
    ])
    expect(agent.events.at(-1)).toMatchObject({
      type: 'proof_observed',
      proof: 'invalid',
      proofReason: 'proof-digest',
    })
    expect(agent.callers).toMatchObject(Array(5).fill({ proof: 'code' }))
  })

  it('accept takes a proof once, whatever method, path or body, and plain requests too', async () => {
    const agent = await serve({ signed: 'accept', replay: 'reuse' })
    const nonce = 'AAAAAAAAAAAAAAAAAAAAAA'
    expect(
      await statuses(
        agent,
        agent.sign({ nonce }),
        agent.sign({ nonce }),
        agent.sign({ nonce, method: 'PUT', target: '/b?c=d', body: 'x' }),
        agent.plain(),
        agent.plain(),
        agent.sign(),
      ),
    ).toEqual([200, 401, 401, 200, 200, 200])
    expect(agent.callers).toMatchObject([
      { agent: 'billing', proof: 'signed' },
      { proof: 'code' },
      { proof: 'code' },
      { proof: 'signed' },
    ])
    expect(agent.events[1]).toMatchObject({ peer: 'alice', proof: 'invalid', proofReason: 'proof-replayed' })
  })

  it('require: no proof, no entry, and the code is not looked at', async () => {
    const agent = await serve({ signed: 'require' })
    const guesses = [...Array(12).keys()].map((nth) => agent.plain(wrongCode(agent, nth)))
    expect(await statuses(agent, agent.plain(), ...guesses)).toEqual(Array(13).fill(401))
    expect(await statuses(agent, agent.sign())).toEqual([200])
    expect(agent.events[0]).toMatchObject({ type: 'refused', reason: 'proof-missing', proof: 'absent' })
    expect(agent.events.some(({ type }) => type === 'token_compromise_suspected')).toBe(false)
  })

  it('a peer keeps its own policy under a scheme with another', async () => {
    const agent = await serve({ signed: 'require', own: 'off' })
    const answer = await agent.send(agent.plain())
    expect(answer.status).toBe(401)
    expect(answer.lines.join('\n')).not.toContain('proof=')
    expect(await statuses(agent, agent.sign())).toEqual([200])
  })
})

describe('once', () => {
  it('many signed requests share a step, spent or not, and plain ones are refused behind them', async () => {
    const agent = await serve()
    const [first, ...more] = await Promise.all(Array.from({ length: 20 }, () => agent.send(agent.sign())))
    expect([first, ...more].map((answer) => answer?.status)).toEqual(Array(20).fill(200))
    const spent = await agent.send(agent.plain())
    expect([spent.status, spent.lines.some((line) => /^retry-after: \d+$/i.test(line))]).toEqual([401, true])
    agent.later(30)
    expect(await statuses(agent, agent.plain(), agent.sign(), agent.plain())).toEqual([200, 200, 401])
    // A code of the step before is good with a proof, and the mark does not fall.
    expect(
      await statuses(agent, agent.sign({ code: codeAt(seed, agent.seconds() - 30) }), agent.plain()),
    ).toEqual([200, 401])
    // One of the step ahead raises it.
    expect(await statuses(agent, agent.sign({ code: codeAt(seed, agent.seconds() + 30) }))).toEqual([200])
    agent.later(30)
    expect(await statuses(agent, agent.plain(), agent.sign())).toEqual([401, 200])
  })

  it('lets one of 64 equal requests in', async () => {
    const agent = await serve()
    const request = agent.sign()
    const answers = await Promise.all(Array.from({ length: 64 }, () => agent.send(request)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(63)
    const refused = agent.events.filter((event) => event.type !== 'authenticated')
    expect(refused.length).toBeLessThanOrEqual(1)
  })
})

describe('guesses', () => {
  it('a valid proof passes a tripped throttle, an invalid one does not', async () => {
    const agent = await serve()
    const guesses = [...Array(6).keys()].map((nth) => agent.plain(wrongCode(agent, nth)))
    expect(await statuses(agent, ...guesses)).toEqual([401, 401, 401, 401, 401, 429])
    expect(await statuses(agent, agent.plain(), agent.sign(), agent.sign({ agent: 'shipping' }))).toEqual([
      429, 200, 401,
    ])
  })

  it.each(['accept', 'require'] as const)(
    'neither a wrong code beside a valid proof nor an invalid proof is a guess: %s',
    async (signed) => {
      const agent = await serve({ signed })
      const valid = [...Array(12).keys()].map((nth) => agent.sign({ code: wrongCode(agent, nth) }))
      const invalid = [...Array(12).keys()].map((nth) =>
        agent.sign({ agent: 'shipping', code: wrongCode(agent, nth) }),
      )
      expect(await statuses(agent, ...valid, ...invalid)).toEqual(Array(24).fill(401))
      expect(await statuses(agent, signed === 'accept' ? agent.plain() : agent.sign())).toEqual([200])
      expect(agent.events.some(({ type }) => type === 'throttled')).toBe(false)
    },
  )

  it('reports refused proofs once a second and peer, with a count', async () => {
    const agent = await serve()
    const forged = Array.from({ length: 10 }, () => agent.sign({ agent: 'shipping' }))
    await statuses(agent, ...forged)
    const count = (): number[] =>
      agent.events
        .filter(({ type }) => type === 'refused')
        .map((event) => ('count' in event ? Number(event.count) : 1))
    expect(count()).toHaveLength(1)
    agent.later(2)
    await statuses(agent, agent.sign({ agent: 'shipping' }))
    await expect.poll(() => count().reduce((sum, one) => sum + one, 0)).toBe(11)
    expect(count().length).toBeLessThanOrEqual(3)
  })
})

const dateless = ({ status, lines, body }: RawAnswer): unknown => ({
  status,
  lines: lines.filter((line) => !/^date:/i.test(line)),
  body,
})

describe('refusals', () => {
  it.each(['accept', 'require'] as const)('are one answer byte for byte, under %s', async (signed) => {
    const agent = await serve({ signed })
    const spent = agent.sign()
    expect(await statuses(agent, spent)).toEqual([200])
    const good = agent.sign()
    const requests = {
      'unknown token': agent.sign({ token: 'a2at_unknown' }),
      'unknown token, plain': agent.plain(undefined, {
        fields: { authorization: 'Bearer a2at_unknown', 'x-totp': '123456' },
      }),
      'no code': without(agent.sign(), 'x-totp'),
      'wrong code': agent.plain(wrongCode(agent)),
      'spent nonce': spent,
      'no signature': without(good, 'signature'),
      'no input': without(good, 'signature-input'),
      'no digest': without(good, 'content-digest'),
      encoded: agent.sign({ fields: { 'content-encoding': 'identity' } }),
      'uncovered content-type': withFields(good, { 'content-type': 'text/plain' }),
      'uncovered a2a-version': withFields(good, { 'a2a-version': '1.0' }),
      'another target': { ...good, target: '/a2b' },
      'another method': { ...good, method: 'PUT' },
      'another agent': agent.sign({ agent: 'shipping' }),
      'another seed': agent.sign({ seed: other, code: codeAt(seed, agent.seconds()) }),
      stale: agent.sign({ created: agent.seconds() - 61, code: codeAt(seed, agent.seconds()) }),
      early: agent.sign({ created: agent.seconds() + 61, code: codeAt(seed, agent.seconds()) }),
      'too long': agent.sign({ lifetime: 61 }),
      'no lifetime': agent.sign({ lifetime: 0 }),
      'short nonce': agent.sign({ nonce: 'AAAAAAAAAAAAAAAAAAAA' }),
      'another body': { ...agent.sign(), body: '{"hello":2}' },
      'wrong code, signed': agent.sign({ code: wrongCode(agent) }),
    }
    const before = agent.bodies.length
    const proof = signed === 'require' ? ', proof="required"' : ''
    const expected = [
      'WWW-Authenticate: Bearer realm="a2a", error="invalid_token"',
      `WWW-Authenticate: TOTP realm="a2a", header="X-TOTP"${proof}`,
      'Cache-Control: no-store',
    ]
    const first = await agent.send(requests['unknown token'])
    for (const line of expected)
      expect(first.lines.map((one) => one.toLowerCase())).toContain(line.toLowerCase())
    const accepted = first.lines.filter((line) => /^accept-signature:/i.test(line))
    expect(accepted.map((line) => line.replace(/^[^:]*: /, ''))).toEqual(
      signed === 'require'
        ? [
            'a2a-totp=("@method" "@path" "@query" "content-digest" "authorization" "x-totp");created;expires;tag="a2a-totp/proof/v1"',
          ]
        : [],
    )
    expect(JSON.parse(first.body)).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } })
    for (const [what, request] of Object.entries(requests)) {
      expect([what, dateless(await agent.send(request))]).toEqual([what, dateless(first)])
    }
    expect(agent.bodies.length).toBe(before)
    // Without Authorization there is no error in the challenge, and the rest is the same.
    const none = await agent.send(without(agent.sign(), 'authorization'))
    expect(none.status).toBe(401)
    expect(none.lines.some((line) => /^www-authenticate: bearer realm="a2a"$/i.test(line))).toBe(true)
    expect(none.lines.some((line) => /^accept-signature:/i.test(line))).toBe(signed === 'require')
  })

  it.each([
    ['proof-malformed', (good: HandSigned) => without(good, 'signature')],
    ['proof-malformed', (good: HandSigned) => withFields(good, { signature: 'other=:AAAA:' })],
    ['proof-uncovered', (good: HandSigned) => withFields(good, { 'a2a-extensions': '' })],
    ['proof-digest', (good: HandSigned) => withFields(good, { 'content-digest': 'sha-512=:AAAA:' })],
    ['proof-digest', (good: HandSigned) => withFields(good, { 'content-encoding': 'gzip' })],
    ['proof-mac', (good: HandSigned) => ({ ...good, target: '/a2a?x' })],
  ] as const)('says %s in the log', async (reason, spoil) => {
    const agent = await serve()
    expect(await statuses(agent, spoil(agent.sign()))).toEqual([401])
    expect(agent.events).toMatchObject([{ type: 'refused', reason, proof: 'invalid', proofReason: reason }])
  })

  it('a body that does not match is withheld, and has spent the nonce', async () => {
    const agent = await serve()
    const good = agent.sign()
    expect(await statuses(agent, { ...good, body: '{"hello":2}' })).toEqual([401])
    expect(agent.bodies).toEqual([])
    agent.later(2)
    expect(await statuses(agent, good)).toEqual([401])
    // Where head and body do not arrive together, the request is let in first.
    const refusals = agent.events.filter(({ type }) => type !== 'authenticated')
    expect(refusals).toMatchObject([
      { type: 'refused', reason: 'proof-digest' },
      { type: 'replayed', reason: 'proof-replayed' },
    ])
  })

  it('GET and DELETE are compared before the handler starts', async () => {
    const agent = await serve()
    for (const method of ['GET', 'DELETE']) {
      expect(await statuses(agent, agent.sign({ method, body: '' }))).toEqual([200])
      expect(await statuses(agent, { ...agent.sign({ method, body: 'x' }), body: '' })).toEqual([401])
    }
    expect(agent.callers).toHaveLength(2)
  })
})

describe('what passes on the way', () => {
  it('pathPrefix puts back what a proxy strips', async () => {
    const agent = await serve({ pathPrefix: '/agents/billing' })
    const request = agent.sign({ target: '/agents/billing/a2a?x=1' })
    expect(await statuses(agent, { ...request, target: '/a2a?x=1' }, agent.sign())).toEqual([200, 401])
  })

  it('another label, other members and their signatures do not matter', async () => {
    const agent = await serve()
    const request = agent.sign({ label: 'renamed' })
    expect(
      await statuses(
        agent,
        withFields(request, {
          'signature-input': `cdn=("@authority");created=1;keyid="k", ${request.fields['signature-input'] ?? ''}`,
          signature: `${request.fields['signature'] ?? ''}, cdn=:AAAA:`,
          'content-digest': request.fields['content-digest'] ?? '',
        }),
      ),
    ).toEqual([200])
    const two = agent.sign()
    expect(
      await statuses(
        agent,
        withFields(two, {
          'signature-input': `${two.fields['signature-input'] ?? ''}, b${(two.fields['signature-input'] ?? '').slice(8)}`,
          signature: `${two.fields['signature'] ?? ''}, b${(two.fields['signature'] ?? '').slice(8)}`,
        }),
      ),
    ).toEqual([401])
  })

  it('covers content-type, a2a-version and a2a-extensions where they are', async () => {
    const agent = await serve()
    const fields = { 'content-type': 'application/json', 'a2a-version': '1.0', 'a2a-extensions': 'urn:x' }
    expect(await statuses(agent, agent.sign({ fields }))).toEqual([200])
    for (const name of Object.keys(fields)) {
      expect(await statuses(agent, without(agent.sign({ fields }), name))).toEqual([401])
    }
  })

  it('a proof created before the memory begins is answered 503 with Retry-After', async () => {
    const agent = await serve({ replay: 'reuse' })
    agent.later(-1800)
    const answer = await agent.send(agent.sign({ created: start - 1 }))
    expect([answer.status, answer.lines.some((line) => /^retry-after: [1-9]\d*$/i.test(line))]).toEqual([
      503,
      true,
    ])
    expect(agent.events).toMatchObject([{ reason: 'replay-unknown' }])
    agent.later(1)
    expect(await statuses(agent, agent.sign())).toEqual([200])
  })
})

describe('a scheme', () => {
  const peerSeeds = { alice: seed }
  const tokenToPeer = { [token]: 'alice' }
  it.each(['observe', 'accept', 'require'] as const)('with %s needs an agent', (signed) => {
    expect(() => new TOTPServerAuthScheme({ peerSeeds, tokenToPeer, replay: 'reuse', signed })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }) as Error,
    )
    const scheme = new TOTPServerAuthScheme({ agent: 'a', peerSeeds, tokenToPeer, replay: 'reuse', signed })
    expect([scheme.signed, scheme.agent]).toEqual([signed, 'a'])
  })

  it('with a shared seed and once needs require', () => {
    const options = { agent: 'a', sharedSeed: seed, tokenToPeer, replay: 'once' } as const
    for (const signed of ['off', 'observe', 'accept'] as const) {
      expect(() => new TOTPServerAuthScheme({ ...options, signed })).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }) as Error,
      )
    }
    expect(new TOTPServerAuthScheme({ ...options, signed: 'require' }).signed).toBe('require')
  })
})
