import { describe, expect, it, onTestFinished } from 'vitest'
import { askAs, authz, fieldOf, fronts, plain, subRequests, type RunningAuthz } from '../../support/authz.js'
import { temporaryFolder } from '../../support/folder.js'
import { followedScheme } from '../../support/followed-scheme.js'
import { Clock, headersOf, peers, schemeFor, someInstant } from '../../support/guarded.js'
import { proofOf } from '../../support/proof-of.js'
import { serverFile } from '../../support/server-file.js'
import { changed, sendRaw, signed, without, type SentRequest } from '../../support/signed-requests.js'

const folder = temporaryFolder()
const good = headersOf('alice', someInstant)
const accepting = (more: Parameters<typeof schemeFor>[1] = {}): ReturnType<typeof schemeFor> =>
  schemeFor(new Clock(), { agent: 'billing', signed: 'accept', replay: 'once', ...more })

const warningsOf = ({ events }: RunningAuthz): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))

describe.each(fronts)('a proof behind /auth/%s', (front) => {
  it("counts by its head: the caller is signed-head, and the body is nobody's business", async () => {
    const running = await authz(accepting().scheme)
    for (const request of [
      signed(),
      { ...signed(), body: Buffer.from('another') },
      signed({ method: 'GET', body: '' }),
    ]) {
      const answer = await askAs(front, running.port, request)
      expect([answer.status, fieldOf(answer, 'totppeer'), fieldOf(answer, 'totpproof')]).toEqual([
        200,
        'alice',
        'signed-head',
      ])
    }
    expect(running.calls.map(({ proof }) => proof)).toEqual(['signed-head', 'signed-head', 'signed-head'])
    expect(warningsOf(running)).toEqual([expect.stringMatching(/heads of their proofs alone.*signed-head/)])
  })

  it('is spent once, whatever else changes', async () => {
    const { scheme, events } = accepting()
    const { port } = await authz(scheme)
    const request = signed()
    expect((await askAs(front, port, request)).status).toBe(200)
    expect((await askAs(front, port, request)).status).toBe(401)
    expect(events.at(-1)).toMatchObject({ reason: 'proof-replayed' })
  })

  const bad: readonly (readonly [what: string, request: () => SentRequest, reason: string])[] = [
    ['another method', () => ({ ...signed(), method: 'PUT' }), 'proof-mac'],
    ['another path', () => ({ ...signed(), target: '/other?x=1' }), 'proof-mac'],
    ['another query', () => ({ ...signed(), target: '/a2a?x=2' }), 'proof-mac'],
    ['another content type', () => changed(signed(), 'content-type', () => 'text/plain'), 'proof-mac'],
    [
      'another digest',
      () =>
        changed(signed(), 'content-digest', (value) =>
          value.replace(/:./, (two) => (two === ':A' ? ':B' : ':A')),
        ),
      'proof-mac',
    ],
    ['no digest', () => without(signed(), 'content-digest'), 'proof-uncovered'],
    [
      'an encoded content',
      () => ({ ...signed(), headers: [...signed().headers, ['Content-Encoding', 'gzip']] }),
      'proof-digest',
    ],
    ['the proof of another peer', () => signed({ peer: 'bob', headers: good }), 'proof-key'],
    ['half a proof', () => without(signed(), 'signature'), 'proof-malformed'],
  ]
  it.each(bad)('is refused with %s, and its code stays unspent', async (_what, request, reason) => {
    const { scheme, events } = accepting()
    const { port } = await authz(scheme)
    expect((await askAs(front, port, request())).status).toBe(401)
    expect(events).toMatchObject([{ type: 'refused', reason }])
    expect((await askAs(front, port, plain(good))).status).toBe(200)
  })

  it('of a request of gRPC covers what gRPC covers', async () => {
    const { port } = await authz(accepting().scheme)
    const target = '/lf.a2a.v1.A2AService/SendMessage'
    const proof = proofOf({ binding: 'grpc', seed: peers.alice.seed, target, headers: good, at: someInstant })
    const headers = { ...good, ...proof, 'Content-Type': 'application/grpc+proto' }
    expect((await askAs(front, port, plain(headers, { target }))).status).toBe(200)
  })
})

describe('what a front says of the request that it holds', () => {
  const cases = fronts.filter((front) => front !== 'envoy')

  it.each(cases)('is believed of the fields of /auth/%s alone, each once', async (front) => {
    const { scheme, events } = accepting()
    const { port } = await authz(scheme)
    const sub = (): SentRequest => subRequests[front](signed())
    const own = front === 'nginx' || front === 'haproxy' ? /^x-original-/i : /^x-forwarded-/i
    const rename = (name: string): string =>
      own.test(name)
        ? name.replace(/^X-(Original|Forwarded)/i, (one) =>
            one === 'X-Original' ? 'X-Forwarded' : 'X-Original',
          )
        : name
    const twice = (wanted: RegExp): SentRequest => {
      const given = sub()
      return {
        ...given,
        headers: given.headers.flatMap((line) => (wanted.test(line[0]) ? [line, line] : [line])),
      }
    }
    const lacking = [
      without(sub(), 'x-original-uri', 'x-forwarded-uri'),
      without(sub(), 'x-original-method', 'x-forwarded-method'),
      { ...sub(), headers: sub().headers.map(([name, value]) => [rename(name), value] as const) },
      twice(/uri$/i),
      twice(/method$/i),
    ]
    for (const request of lacking) expect((await sendRaw(port, request)).status).toBe(401)
    expect(events.map((event) => event.type === 'refused' && event.reason)).toContain('proof-mac')
    expect((await sendRaw(port, sub())).status).toBe(200)
  })

  it.each(fronts)('is of no use to a request without proof at /auth/%s', async (front) => {
    const { port } = await authz(accepting({ replay: 'reuse' }).scheme)
    const { headers } = plain(good)
    expect(
      (await sendRaw(port, { ...plain(), method: 'GET', target: `/auth/${front}`, headers })).status,
    ).toBe(200)
  })
})

describe('peers that must sign', () => {
  const requiring = (): ReturnType<typeof schemeFor> => accepting({ signed: 'require' })

  it('keep forward authentication from starting alone', async () => {
    await expect(authz(requiring().scheme)).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(/--upstream.*--body-unchecked/) as string,
    })
  })

  it('keep it from starting alone also if only one of them must', async () => {
    const { scheme } = schemeFor(new Clock(), {
      agent: 'billing',
      peerSeeds: { alice: peers.alice.seed, bob: { seeds: [{ seed: peers.bob.seed }], signed: 'require' } },
    })
    await expect(authz(scheme)).rejects.toMatchObject({ code: 'ERR_USAGE' })
  })

  it('are let in with --body-unchecked, which is said, and not without a proof', async () => {
    const running = await authz(requiring().scheme, { bodyUnchecked: true })
    for (const front of fronts) {
      const answer = await askAs(front, running.port, signed())
      expect([answer.status, fieldOf(answer, 'totpproof')]).toEqual([200, 'signed-head'])
      expect((await askAs(front, running.port, plain(good))).status).toBe(401)
    }
    expect(warningsOf(running)).toEqual([expect.stringMatching(/^--body-unchecked: /)])
  })

  it('are refused with 503 beside an upstream, which is said, while others are let in', async () => {
    const { scheme, events } = schemeFor(new Clock(), {
      agent: 'billing',
      signed: 'accept',
      peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed }], signed: 'require' }, bob: peers.bob.seed },
    })
    const running = await authz(scheme, { hasUpstream: true })
    const answer = await askAs('caddy', running.port, signed())
    expect(answer.status).toBe(503)
    expect(events).toMatchObject([{ reason: 'guard-failed', peer: 'alice', cause: 'content-unseen' }])
    expect((await askAs('caddy', running.port, signed({ peer: 'bob' }))).status).toBe(200)
    expect(warningsOf(running)).toEqual([expect.stringMatching(/503.*--upstream/)])
  })

  it('are refused with 503 once a changed file says that they must sign, and that is said', async () => {
    const document = (policy: string): object => {
      const file = serverFile()
      for (const peer of Object.values(file.peers)) peer['signed'] = policy
      return { ...file, agent: 'billing', signed: policy, requires: ['signed'] }
    }
    const { scheme, replace } = followedScheme(folder, document('accept'), { now: () => someInstant })
    onTestFinished(() => scheme.close())
    const running = await authz(scheme)
    expect((await askAs('caddy', running.port, signed())).status).toBe(200)
    await replace(document('require'))
    expect((await askAs('caddy', running.port, signed())).status).toBe(503)
    expect((await askAs('caddy', running.port, plain(good))).status).toBe(401)
    expect(warningsOf(running)).toEqual([
      expect.stringMatching(/heads of their proofs alone/),
      expect.stringMatching(/503.*restart with --body-unchecked/),
    ])
    await replace(document('off'))
    expect((await askAs('caddy', running.port, signed())).status).toBe(200)
  })
})

describe('a proof under other policies', () => {
  it('is only reported under observe, and said to be', async () => {
    const { scheme, events } = accepting({ signed: 'observe', replay: 'reuse' })
    const running = await authz(scheme)
    const answer = await askAs('traefik', running.port, signed())
    expect([answer.status, fieldOf(answer, 'totpproof')]).toEqual([200, 'code'])
    expect(events).toMatchObject([{ type: 'authenticated', proof: 'valid' }])
    expect(running.calls).toMatchObject([{ proof: 'plain', shown: { proof: 'valid' } }])
  })

  it('is ignored under off, and nothing is said', async () => {
    const running = await authz(accepting({ signed: 'off' }).scheme)
    expect((await askAs('traefik', running.port, { ...signed(), target: '/other' })).status).toBe(200)
    expect(warningsOf(running)).toEqual([])
  })
})
