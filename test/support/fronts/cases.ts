import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { renderServerFragment } from '../../../src/fragments/index.js'
import { proofOf } from '../proof-of.js'
import { signByHand } from '../signed-by-hand.js'
import { placeFront } from './addresses.js'
import { startBareAgent, grpcMessage, type Arrived, type BareAgent } from './agent.js'
import {
  codeOf,
  peers,
  roster,
  seedOf,
  startTestGate,
  tokenOf,
  type GateKind,
  type PeerName,
  type TestGate,
} from './gate.js'
import { startImpostor, type Impostor } from './impostor.js'
import { runFront, type FrontProgram, type RunningProgram } from './programs.js'
import { ask, call, callStream, linesOf, readStream, type Answered, type Lines } from './wire.js'

const card = '/.well-known/agent-card.json'

/** One resource, in every spelling that a server may take for it. */
const cardSpellings = [
  card,
  `${card}?x=1`,
  `${card}?`,
  '/x/../.well-known/agent-card.json',
  '/./.well-known/agent-card.json',
  '/.well-known/x/%2e%2e/agent-card.json',
  '/%2ewell-known/agent-card.json',
  '/.well-known%2fagent-card.json',
  '/.well-known%2Fagent-card%2ejson',
  '//.well-known//agent-card.json',
  '/.WELL-KNOWN/Agent-Card.JSON',
  '/%2EWELL-known/agent-card.json',
  '/.WELL-known%2fagent-card.json?a=b',
]

/** Others that must not be taken for it. */
const notTheCard = [
  `${card}/`,
  `${card};x`,
  `${card}/../../rpc`,
  `${card}%00`,
  `${card}%23`,
  `${card}%3f`,
  `/rpc?${card}`,
  `/rpc/..;${card}`,
]

const credentials = (name: PeerName): [string, string][] => [
  ['Authorization', `Bearer ${tokenOf(name)}`],
  ['X-TOTP', codeOf(name)],
]
const metadata = (name: PeerName): Record<string, string> => ({
  authorization: `Bearer ${tokenOf(name)}`,
  'x-totp': codeOf(name),
})

/** What a front does with a request that it refuses itself, for its form. */
const refusedForm = [400, 401]

const silent: Impostor[] = ['is silent']

const credentialFields = ['authorization', 'x-totp', 'signature', 'signature-input', 'content-digest']

/** What is left of a name where backends map names as CGI does. */
const asCgi = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')

export interface FrontOptions {
  readonly name?: string
  readonly envoyGrpc?: boolean
  readonly gate?: GateKind
  /** With those that wait for a time limit of the front: up to half a minute each. */
  readonly slow?: boolean
}

/**
 * What the configuration of a front has to do, whichever front it is: `config server --format`. Longer than other files, as
 * all of them share one front, which takes a second to start.
 */
export function frontCases(
  front: FrontProgram,
  { name = front, envoyGrpc = false, gate: kind = 'in-process', slow = false }: FrontOptions = {},
): void {
  describe(name, () => {
    let agent: BareAgent
    let gate: TestGate
    let program: RunningProgram | undefined
    let port: number
    let grpcPort: number

    beforeAll(async () => {
      ;[agent, gate] = await Promise.all([startBareAgent(), startTestGate(kind)])
      const placed = await placeFront(agent, gate, envoyGrpc)
      ;({ port, grpcPort } = placed)
      const { files = [] } = await renderServerFragment(front, {
        roster,
        at: new Date(),
        front: placed.addresses,
      })
      program = await runFront(front, files, [port, grpcPort])
      // Traefik listens before it knows its routes.
      while ((await ask(port, { method: 'GET', target: card })).status !== 200)
        await new Promise((done) => setTimeout(done, 20))
    }, 30_000)
    afterAll(async () => {
      await program?.close()
      await gate.end()
      await agent.close()
    })
    beforeEach(async () => {
      agent.arrived.length = 0
      await gate.forget()
    })
    afterEach(expectNothingSecret)

    /** The rules for everything that reaches the agent. */
    function expectNothingSecret(): void {
      for (const { target, fields } of agent.arrived) {
        for (const field of credentialFields) expect(linesOf(fields, field), target).toEqual([])
        expect(linesOf(fields, 'totpproof'), target).toEqual([])
        const identities = fields.filter(([field]) => asCgi(field) === 'totppeer')
        expect(identities.length, target).toBeLessThanOrEqual(1)
        for (const [, value] of identities) expect(Object.keys(peers)).toContain(value)
      }
    }

    function only(): Arrived {
      expect(agent.arrived).toHaveLength(1)
      const [request] = agent.arrived
      if (!request) throw new Error('nothing arrived')
      return request
    }

    function expectFrom(peer: PeerName): void {
      expect(linesOf(only().fields, 'totppeer')).toEqual([peer])
    }

    const expectRefused = (answer: Answered, statuses = refusedForm): void => {
      expect(statuses).toContain(answer.status)
      expect(agent.arrived).toEqual([])
    }

    it('good credentials pass, with the body and the fields', async () => {
      const fields: Lines = [
        ...credentials('alice'),
        ['Content-Type', 'application/json'],
        ['A2A-Version', '1.0'],
      ]
      const answer = await ask(port, { target: '/rpc?a=b%20c', fields, body: '{"hello":1}' })
      expect(answer).toMatchObject({ status: 200, body: 'agent: 11' })
      expectFrom('alice')
      expect(only()).toMatchObject({ method: 'POST', target: '/rpc?a=b%20c', body: '{"hello":1}' })
      expect(linesOf(only().fields, 'content-type')).toEqual(['application/json'])
      expect(linesOf(only().fields, 'a2a-version')).toEqual(['1.0'])
    })

    it('the gate is asked once a request', async () => {
      await ask(port, { fields: credentials('alice'), body: 'x' })
      expect(await gate.calls()).toHaveLength(1)
      expect(agent.arrived).toHaveLength(1)
    })

    it('what the agent refuses itself is its own answer', async () => {
      const answer = await ask(port, { target: '/refused', fields: credentials('alice'), body: 'x' })
      expect(answer).toMatchObject({ status: 401, body: 'agent: 1' })
      expect(linesOf(answer.fields, 'x-agent')).toEqual(['bare'])
    })

    const wrong: [what: string, fields: () => Lines][] = [
      ['no credentials', () => []],
      ['a bearer token alone', () => credentials('alice').slice(0, 1)],
      ['a code alone', () => credentials('alice').slice(1)],
      ['a malformed code', () => [...credentials('alice').slice(0, 1), ['X-TOTP', '12345a']]],
      [
        'an unknown token',
        () => [['Authorization', 'Bearer a2at_unknown'], ...credentials('alice').slice(1)],
      ],
      ['another scheme', () => [['Authorization', 'Basic YTpi'], ...credentials('alice').slice(1)]],
    ]

    it.each(wrong)('%s: refused exactly as the gate refuses', async (_, fields) => {
      const through = await ask(port, { fields: fields(), body: 'x' })
      expect(through.status).toBe(401)
      expect(agent.arrived).toEqual([])
      await expectTheGatesOwn(through, fields())
    })

    /** Compares with what the gate answers to a front that passes on everything. */
    async function expectTheGatesOwn(through: Answered, fields: Lines): Promise<void> {
      const own = await ask(gate.port, { method: 'GET', target: '/auth/caddy', fields })
      expect(through.status).toBe(own.status)
      expect(through.body).toBe(own.body)
      for (const field of ['www-authenticate', 'cache-control', 'content-type', 'accept-signature'])
        expect(linesOf(through.fields, field), field).toEqual(linesOf(own.fields, field))
      const waits = [through, own].map((one) => linesOf(one.fields, 'retry-after').map(Number))
      expect(waits[0]).toHaveLength(waits[1]?.length ?? 0)
      for (const [at, wait] of (waits[0] ?? []).entries())
        expect(Math.abs(wait - (waits[1]?.[at] ?? 0))).toBeLessThanOrEqual(1)
    }

    it('a refusal does not wait for the body', async () => {
      const framings: Lines[] = [[['Content-Length', '50000000']], [['Transfer-Encoding', 'chunked']]]
      for (const framing of framings) expectRefused(await ask(port, { framing }), [401])
    })

    it('too many guesses: 429 with Retry-After, exactly as the gate says', async () => {
      const guess = (code: string): Lines => [...credentials('carol').slice(0, 1), ['X-TOTP', code]]
      const right = Number(codeOf('carol'))
      let last = await ask(port, { fields: guess('000000') })
      for (let at = 1; at < 12 && last.status === 401; at++) {
        const code = String((right + at * 7919) % 1_000_000).padStart(6, '0')
        last = await ask(port, { fields: guess(code) })
      }
      expect(last.status).toBe(429)
      expect(linesOf(last.fields, 'retry-after')).toHaveLength(1)
      await expectTheGatesOwn(last, guess('000000'))
      expect(agent.arrived).toEqual([])
    })

    it('65 unknown tokens do not lock out good credentials', async () => {
      const strangers = Array.from({ length: 65 }, (_, at) =>
        ask(port, {
          fields: [
            ['Authorization', `Bearer a2at_no${at}`],
            ['X-TOTP', '123456'],
          ],
        }),
      )
      for (const { status } of await Promise.all(strangers)) expect([401, 429]).toContain(status)
      expect(agent.arrived).toEqual([])
      expect((await ask(port, { fields: credentials('alice'), body: 'x' })).status).toBe(200)
    })

    const [authorization, code] = ['Authorization', 'X-TOTP'] as const
    it.each([
      ['the token twice', () => [...credentials('alice'), credentials('alice')[0]]],
      ['the code twice', () => [...credentials('alice'), credentials('alice')[1]]],
      ['another token after it', () => [...credentials('alice'), [authorization, 'Bearer a2at_other']]],
      ['another token before it', () => [[authorization, 'Bearer a2at_other'], ...credentials('alice')]],
      ['another code after it', () => [...credentials('alice'), [code, '000000']]],
      ['another code before it', () => [[code, '000000'], ...credentials('alice')]],
      ['two codes in a line', () => [credentials('alice')[0], [code, `${codeOf('alice')}, 000000`]]],
    ] as [string, () => Lines][])('%s: refused', async (_, fields) => {
      expectRefused(await ask(port, { fields: fields(), body: 'x' }))
    })

    it.each(['X_TOTP', 'X.TOTP', 'X!TOTP', 'x~totp'])('%s is no code', async (alias) => {
      const fields: Lines = [...credentials('alice').slice(0, 1), [alias, codeOf('alice')]]
      expectRefused(await ask(port, { fields, body: 'x' }))
    })

    const identities = [
      'TotpPeer',
      'totppeer',
      'TOTPPEER',
      'Totp-Peer',
      'Totp_Peer',
      'Totp.Peer',
      'TotpPeer!',
      'X-TotpPeer',
    ]
    it.each(identities)('a client cannot say who it is as %s', async (alias) => {
      const forged: Lines = [
        [alias, 'dora'],
        [alias, 'carol'],
      ]
      expectRefused(await ask(port, { fields: forged, body: 'x' }))
      const answer = await ask(port, { fields: [...forged, ...credentials('alice'), ...forged], body: 'x' })
      expect([200, 400]).toContain(answer.status)
      for (const { fields } of agent.arrived)
        expect(fields.filter(([field]) => asCgi(field) === 'totppeer')).toEqual([['totppeer', 'alice']])
    })

    it('what only the gate says of a caller is its own', async () => {
      const words: Lines = [
        ['TotpAssertion', 'x.y.z'],
        ['TotpProof', 'signed'],
      ]
      await ask(port, { fields: [...words, ...credentials('alice')], body: 'x' })
      await call(grpcPort, { totpassertion: 'x.y.z', totpproof: 'signed', ...metadata('alice') })
      expect(agent.arrived).toHaveLength(2)
      for (const { fields } of agent.arrived) expect(linesOf(fields, 'totpassertion')).toEqual([])
    })

    it.each(['TotpPeer', 'totppeer, keep-alive', 'X-TOTP', 'Authorization', 'Signature, TotpPeer'])(
      'Connection: %s loses no identity',
      async (named) => {
        const answer = await ask(port, {
          connection: `close, ${named}`,
          fields: credentials('alice'),
          body: 'x',
        })
        if (answer.status === 200) expectFrom('alice')
        else expectRefused(answer)
      },
    )

    it('a body has one length', async () => {
      const chunked = '5\r\nhello\r\n0\r\n\r\n'
      const framings: Lines[] = [
        [
          ['Content-Length', '3'],
          ['Transfer-Encoding', 'chunked'],
        ],
        [
          ['Transfer-Encoding', 'chunked'],
          ['Content-Length', String(chunked.length)],
        ],
      ]
      for (const framing of framings) {
        agent.arrived.length = 0
        const answer = await ask(port, { fields: credentials('alice'), framing, body: chunked })
        expect([200, 400]).toContain(answer.status)
        expect(agent.arrived.map(({ body }) => body)).toEqual(answer.status === 200 ? ['hello'] : [])
      }
    })

    it('the card is public, and its request goes on without credentials', async () => {
      const forged: Lines = [
        ['TotpPeer', 'dora'],
        ['TotpAssertion', 'x.y.z'],
        ['TotpProof', 'signed'],
      ]
      for (const fields of [[], [...credentials('alice'), ...forged], forged]) {
        agent.arrived.length = 0
        expect((await ask(port, { method: 'GET', target: card, fields })).status).toBe(200)
        expect(only().target).toBe(card)
        for (const field of ['totppeer', 'totpassertion']) expect(linesOf(only().fields, field)).toEqual([])
      }
    })

    it.each(cardSpellings)('of %s the agent sees the card or nothing', async (target) => {
      for (const fields of [[], credentials('alice')]) {
        agent.arrived.length = 0
        await ask(port, { method: 'GET', target, fields })
        expect([[], [card]]).toContainEqual(agent.arrived.map((one) => one.target))
        for (const one of agent.arrived) {
          expect(linesOf(one.fields, 'totppeer')).toEqual([])
          expect(JSON.stringify(one.fields)).not.toMatch(/agent-card/i)
        }
      }
    })

    it.each(cardSpellings)('of a POST of %s the agent sees nothing, whoever sends it', async (target) => {
      const answer = await ask(port, { target, fields: credentials('alice'), body: 'x' })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(agent.arrived).toEqual([])
    })

    it.each(notTheCard)('nothing but the card is public: %s', async (target) => {
      const answer = await ask(port, { method: 'GET', target })
      // A front may take it for a spelling of the card, which it then passes on as the card.
      if (answer.status === 200) expect(only().target).toBe(card)
      else expectRefused(answer, [400, 401])
    })

    it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s of the card is not public', async (method) => {
      const answer = await ask(port, { method, target: card, body: 'x' })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(agent.arrived).toEqual([])
    })

    const forged: Lines = [
      ['X-Forwarded-Uri', card],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Host', 'forged.example'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Original-URI', card],
      ['X-Original-URL', card],
      ['X-Original-Method', 'GET'],
      ['X-Rewrite-URL', card],
      ['X-Envoy-Original-Path', card],
      ['X-Real-IP', '203.0.113.9'],
      ['Forwarded', 'for=203.0.113.9;proto=https'],
      ['User-Agent', 'kube-probe/1.33'],
    ]

    it('what a client says about its request changes nothing', async () => {
      for (const target of [
        '/rpc',
        '/healthz',
        '/ping',
        '/metrics',
        '/auth/nginx',
        '/denied',
        '/.a2a-totp/auth',
      ]) {
        const answer = await ask(port, { target, fields: forged, body: 'x' })
        expect([401, 404], target).toContain(answer.status)
      }
      for (const agentName of ['GoogleHC/1.0', 'ELB-HealthChecker/2.0', 'kube-probe/1.33', 'Prometheus/3.0'])
        expect(
          (await ask(port, { method: 'GET', target: '/', fields: [['User-Agent', agentName]] })).status,
        ).toBe(401)
      expect(agent.arrived).toEqual([])
      const calls = await gate.calls()
      expect(calls.length).toBeGreaterThan(0)
      for (const { source } of calls) expect(source).toBe('127.0.0.1')
    })

    it('the agent hears nothing of the address that a client claims', async () => {
      await ask(port, { fields: [...credentials('alice'), ...forged], body: 'x' })
      const claims = only().fields.filter(([field]) => /^(x-forwarded-for|x-real-ip|forwarded)$/.test(field))
      for (const [field, value] of claims) expect(value, field).not.toContain('203.0.113.9')
    })

    function signed(
      target: string,
      body: string,
      more: Readonly<Record<string, string>> = {},
    ): [string, string][] {
      const { fields } = signByHand({
        target,
        body,
        seed: seedOf('dora'),
        token: tokenOf('dora'),
        agent: roster.agent,
        fields: { 'content-type': 'application/json', 'a2a-version': '1.0', ...more },
      })
      return Object.entries(fields)
    }

    it('signed requests pass, several in a step, whatever a client says about its request', async () => {
      const target = '/rpc?a=%2Fb&c='
      for (const body of ['{"one":1}', '{"two":2}']) {
        agent.arrived.length = 0
        const answer = await ask(port, { target, body, fields: [...forged, ...signed(target, body)] })
        expect(answer.status).toBe(200)
        expectFrom('dora')
      }
      expect((await gate.calls()).map(({ proof }) => proof)).toEqual(['signed-head', 'signed-head'])
    })

    it('a proof is for one request, once', async () => {
      const fields = signed('/rpc', '{}')
      expect((await ask(port, { body: '{}', fields })).status).toBe(200)
      agent.arrived.length = 0
      expectRefused(await ask(port, { body: '{}', fields }))
      expectRefused(await ask(port, { target: '/other', body: '{}', fields: signed('/rpc', '{}') }))
      expectRefused(await ask(port, { method: 'PUT', body: '{}', fields: signed('/rpc', '{}') }))
      const otherType = signed('/rpc', '{}').map(
        ([field, value]) => [field, field === 'content-type' ? 'text/x' : value] as const,
      )
      expectRefused(await ask(port, { body: '{}', fields: otherType }))
    })

    /** Asks until it is not 503: a gate that has just started does not know what was used before. */
    async function oncePastStart<Got extends { readonly status: number }>(
      attempt: () => Promise<Got>,
    ): Promise<Got> {
      for (;;) {
        const answer = await attempt()
        if (answer.status !== 503 && !('grpcStatus' in answer && answer.grpcStatus === '14')) return answer
        expect(agent.arrived).toEqual([])
        await new Promise((done) => setTimeout(done, 500))
      }
    }

    it('a code that may be used once is used by one request, and by one alone', async () => {
      let sent: Lines = []
      const first = await oncePastStart(() => ask(port, { fields: (sent = credentials('erin')), body: 'x' }))
      expect(first.status).toBe(200)
      expectFrom('erin')
      agent.arrived.length = 0
      expectRefused(await ask(port, { fields: sent, body: 'x' }), [401])
    }, 60_000)

    it('gRPC: a code that may be used once is used by one call, and by one alone', async () => {
      let sent: Record<string, string> = {}
      const first = await oncePastStart(() => call(grpcPort, (sent = metadata('frank'))))
      expect(first).toMatchObject({ status: 200, grpcStatus: '0' })
      expectFrom('frank')
      agent.arrived.length = 0
      const second = await call(grpcPort, sent)
      expect(['200 16', '401 undefined']).toContain(`${second.status} ${String(second.grpcStatus)}`)
      expect(agent.arrived).toEqual([])
    }, 60_000)

    it('events of a stream arrive one by one, and the agent hears when the caller leaves', async () => {
      const stream = readStream(port, { target: '/stream', fields: credentials('alice'), body: 'x' })
      const answer = await agent.nextStream()
      for (const event of ['one', 'two', 'three']) {
        answer.write(event)
        await stream.has(`data: ${event}`)
      }
      stream.leave()
      await answer.left
    }, 15_000)

    it('gRPC: good credentials pass, with message and trailers', async () => {
      const answer = await call(grpcPort, { ...metadata('alice'), totppeer: 'dora', 'a2a-version': '1.0' })
      expect(answer).toMatchObject({
        status: 200,
        grpcStatus: '0',
        body: grpcMessage('answer').toString('latin1'),
      })
      expect(answer.fields['x-agent']).toBe('bare')
      expectFrom('alice')
      expect(only().body).toBe(grpcMessage('hello').toString('latin1'))
      expect(await gate.calls()).toHaveLength(1)
    })

    it('gRPC: signed calls pass', async () => {
      const target = '/lf.a2a.v1.A2AService/SendMessage'
      const headers = { ...metadata('dora'), 'a2a-version': '1.0' }
      const [seed] = peers.dora.seeds
      if (!seed) throw new Error('no seed')
      const proof = proofOf({
        seed: seed.seed,
        binding: 'grpc',
        target,
        headers,
        body: 'hello',
        at: new Date(),
      })
      expect(await call(grpcPort, { ...headers, ...proof }, { target })).toMatchObject({ grpcStatus: '0' })
      expect((await gate.calls()).map(({ proof: seen }) => seen)).toEqual(['signed-head'])
      expectFrom('dora')
    })

    it.each([
      ['no credentials', () => ({ totppeer: 'dora' })],
      ['a bearer token alone', () => ({ authorization: metadata('alice')['authorization'] ?? '' })],
      ['the code twice', () => ({ ...metadata('alice'), 'x-totp': [codeOf('alice'), codeOf('alice')] })],
    ] as [string, () => Record<string, string | string[]>][])(
      'gRPC: %s: refused, with the challenges',
      async (_, fields) => {
        const answer = await call(grpcPort, fields())
        // Clients take 401 of HTTP for UNAUTHENTICATED too.
        expect([`200 16`, '401 undefined']).toContain(`${answer.status} ${String(answer.grpcStatus)}`)
        expect(String(answer.fields['www-authenticate'])).toContain('TOTP realm="a2a", header="X-TOTP"')
        expect(agent.arrived).toEqual([])
      },
    )

    it('gRPC: a stream arrives message by message, and the agent hears when the caller leaves', async () => {
      const stream = callStream(grpcPort, metadata('alice'))
      const answer = await agent.nextStream()
      for (const event of ['one', 'two', 'three']) {
        answer.write(event)
        await stream.has(event)
      }
      stream.leave()
      await answer.left
    }, 15_000)

    it('without the gate nobody passes, and then everybody again', async () => {
      await gate.stop()
      const down = await ask(port, { fields: credentials('alice'), body: 'x' })
      const type = [['Content-Type', 'application/grpc']] as const
      const downTyped = await ask(port, { fields: [...type, ...credentials('alice')], body: 'x' })
      const downGrpc = await call(grpcPort, metadata('alice'))
      await gate.start()
      expect(agent.arrived).toEqual([])
      expect(down.status).toBeGreaterThanOrEqual(500)
      // Envoy answers it as gRPC.
      if (downTyped.status === 200) expect(linesOf(downTyped.fields, 'grpc-status')).toEqual(['14'])
      else expect(downTyped.status).toBeGreaterThanOrEqual(500)
      expect([503, 502, 500, 200]).toContain(downGrpc.status)
      if (downGrpc.status === 200) expect(downGrpc.grpcStatus).toBe('14')
      expect((await ask(port, { fields: credentials('alice'), body: 'x' })).status).toBe(200)
    })

    const others: Impostor[] = ['answers', 'answers with an empty identity', ...(slow ? silent : [])]
    it.each(others)(
      'where something else %s in place of the gate, nobody passes',
      async (impostor) => {
        await gate.stop()
        const other = await startImpostor(impostor, gate)
        const patience = 50_000
        const type = [['Content-Type', 'application/grpc']] as const
        const [answers, calls] = await Promise.all([
          Promise.all([
            ask(port, { fields: credentials('alice'), body: 'x', patience }),
            ask(port, { fields: [['TotpPeer', 'alice']], body: 'x', patience }),
            ask(port, { fields: [...type, ...credentials('alice')], body: 'x', patience }),
          ]),
          Promise.all([
            call(grpcPort, metadata('alice'), { patience }),
            call(grpcPort, { totppeer: 'alice' }, { patience }),
          ]),
        ])
        await other.close()
        await gate.start()
        expect(agent.arrived).toEqual([])
        for (const { status, fields } of answers)
          if (status !== 200) expect(status).toBeGreaterThanOrEqual(500)
          else expect(linesOf(fields, 'grpc-status')).toEqual(['14'])
        for (const { status, grpcStatus } of calls)
          if (status !== 200) expect(status).toBeGreaterThanOrEqual(500)
          else expect(grpcStatus).toBe('14')
        expect((await ask(port, { fields: credentials('alice'), body: 'x' })).status).toBe(200)
      },
      120_000,
    )
  })
}
