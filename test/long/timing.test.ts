import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { memoryState } from '../../src/state/memory-state.js'
import { PeerTokenAuth } from '../../src/server/scheme/delegates.js'
import { totpGuard } from '../../src/server/express.js'
import { httpAnswer } from '../../src/server/scheme/refusal.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { Clock, peers, requestWith, schemeFor, wrongCodeOf } from '../support/guarded.js'
import { TestServer } from '../support/guarded-agent.js'
import { numbers } from '../support/numbers.js'
import { received, signed, signedOptions, stripped, without, type Sent } from '../support/signed.js'
import { momentsOf, welchT } from '../support/welch.js'

const rounds = 20_000
/** Requests before the measurement, for the compiler. */
const warmUp = 2000
/** A new time step so often: then each peer's codes are made anew, and tokens of nobody stay below 60 a minute. */
const roundsPerStep = 10

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const tokenOf = (name: string): string => `a2at_${digestOf(name).toString('base64url')}`

/** The code of a live token, or what else comes with it. Each has a peer of its own, so that all meet a new step alike. */
const live = {
  'missing code': undefined,
  'malformed code': '12345x',
  'wrong code': '918273',
  'expired token': '546372',
  'expired seed': '647382',
} as const
const kinds = [...Object.keys(live), 'unknown token'] as const

function makeScheme(clock: Clock): TOTPServerAuthScheme {
  const names = Object.keys(live)
  const expiresAt = new Date(clock.at.getTime() - 1)
  return new TOTPServerAuthScheme({
    delegate: new PeerTokenAuth(
      names.map((peer) => ({ peer, token: tokenOf(peer), ...(peer === 'expired token' && { expiresAt }) })),
    ),
    peerSeeds: Object.fromEntries(
      names.map((name) => {
        const seed = Seed.fromBytes(digestOf(name).subarray(0, 20))
        return [name, { seeds: [{ seed, ...(name === 'expired seed' && { expiresAt }) }] }]
      }),
    ),
    replay: 'reuse',
    // One guess in each time step is counted: no budget is ever exhausted.
    throttle: { risk: Infinity, budgets: [{ limit: 5, seconds: 30 }] },
    state: memoryState({ since: new Date(0) }),
    now: clock.now,
  })
}

function headersOf(kind: string, round: number): Record<string, string> {
  const Authorization = `Bearer ${tokenOf(kind === 'unknown token' ? `stranger-${round}` : kind)}`
  const code = kind === 'unknown token' ? live['wrong code'] : live[kind as keyof typeof live]
  return code === undefined ? { Authorization } : { Authorization, 'X-TOTP': code }
}

/** Sends every kind in every round, in a new order each time, and gives nanoseconds by kind and the answers that came. */
async function measure(
  clock: Clock,
  send: (headers: Record<string, string>) => Promise<unknown>,
): Promise<{ samples: Map<string, number[]>; answers: Set<string> }> {
  const random = numbers(20_261_123)
  const samples = new Map(kinds.map((kind): [string, number[]] => [kind, []]))
  const answers = new Set<string>()
  for (let round = 0; round < warmUp + rounds; round++) {
    if (round % roundsPerStep === 0) clock.advance(30)
    const order = kinds.map((kind) => ({ kind, place: random(1e6) })).sort((a, b) => a.place - b.place)
    for (const { kind } of order) {
      const headers = headersOf(kind, round)
      const begin = process.hrtime.bigint()
      const answer = await send(headers)
      const took = Number(process.hrtime.bigint() - begin)
      answers.add(JSON.stringify(answer))
      if (round >= warmUp) samples.get(kind)?.push(took)
    }
  }
  return { samples, answers }
}

/** Without the slowest twentieth, which is the machine's doing: what the kinds cost by themselves. */
function trimmedMeans(samples: ReadonlyMap<string, readonly number[]>): number[] {
  const all = [...samples.values()].flat().sort((a, b) => a - b)
  const limit = all[Math.floor(all.length * 0.95)] ?? Infinity
  return [...samples.values()].map((one) => momentsOf(one.filter((took) => took < limit)).mean)
}

function judge(where: string, samples: ReadonlyMap<string, readonly number[]>): void {
  const moments = [...samples].map(([kind, one]) => ({ kind, ...momentsOf(one) }))
  const ts = moments.flatMap((a, n) => moments.slice(n + 1).map((b) => Math.abs(welchT(a, b))))
  const means = trimmedMeans(samples)
  const spread = Math.max(...means) / Math.min(...means) - 1
  console.log(
    `figure 14, ${where}: ${rounds} of each of ${kinds.join(', ')}: largest |t| ${Math.max(...ts).toFixed(2)}; ` +
      `means without the slowest twentieth differ by at most ${(spread * 100).toFixed(1)} %`,
  )
  expect(ts).toHaveLength(15)
  expect(Math.max(...ts)).toBeLessThan(4.5)
  expect(spread).toBeLessThan(0.15)
}

/** security.md's figure 14: whoever holds a token learns from a refusal's time no more than from its bytes. */
describe('refusals', () => {
  it('are the same, and take as long, whatever was wrong: asked in process', async () => {
    const clock = new Clock()
    const scheme = makeScheme(clock)
    const { samples, answers } = await measure(clock, async (headers) => {
      const { refusal } = await scheme.authenticate(requestWith(headers))
      return refusal && httpAnswer(refusal)
    })
    expect([...answers]).toHaveLength(1)
    judge('in process', samples)
  })

  describe('over HTTP', () => {
    const clock = new Clock()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    let server: TestServer
    beforeAll(async () => {
      server = await new TestServer().listen()
      server.app.use(totpGuard(makeScheme(clock)))
    })
    afterAll(async () => {
      agent.destroy()
      await server.close()
    })

    const post = (headers: Record<string, string>): Promise<unknown> =>
      new Promise((done, fail) => {
        const options = { method: 'POST', port: server.port, host: '127.0.0.1', agent, headers }
        request(options, (response) => {
          const lines = response.rawHeaders.filter((_, n, all) => all[n - (n % 2)] !== 'Date')
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (body += chunk))
          response.on('end', () => done([response.statusCode, lines, body]))
        })
          .on('error', fail)
          .end()
      })

    it('are the same, and take as long, whatever was wrong', async () => {
      const { samples, answers } = await measure(clock, post)
      expect([...answers]).toHaveLength(1)
      expect([...answers][0]).toMatch(/^\[401,/)
      judge('over HTTP', samples)
    })
  })
})

/** security.md's figure 23. */
describe('a request without a code', () => {
  const steps = 1000

  /** The first requests of a step with a candidate token, after the decoy has made its codes of that step. */
  async function firstOfStep(tokens: Readonly<Record<string, string>>): Promise<Map<string, number[]>> {
    const clock = new Clock()
    const scheme = makeScheme(clock)
    const random = numbers(20_261_129)
    const samples = new Map(Object.keys(tokens).map((kind): [string, number[]] => [kind, []]))
    for (let step = 0; step < steps + 200; step++) {
      const kinds = Object.entries(tokens)
      if (random(2) === 0) kinds.reverse()
      for (const [kind, token] of kinds) {
        clock.advance(30)
        await scheme.authenticate(
          requestWith(
            { Authorization: 'Bearer nobody', 'X-TOTP': '123456' },
            `2001:db8::${step.toString(16)}`,
          ),
        )
        const request = requestWith({ Authorization: `Bearer ${token}` })
        const begin = process.hrtime.bigint()
        await scheme.authenticate(request)
        const took = Number(process.hrtime.bigint() - begin)
        if (step >= 200) samples.get(kind)?.push(took)
      }
    }
    return samples
  }

  it('takes as long with a live token as with an unknown one, at the first of a step', async () => {
    const samples = await firstOfStep({ live: tokenOf('wrong code'), unknown: 'a-token-of-nobody' })
    const [live, unknown] = [...samples.values()].map(momentsOf)
    if (!live || !unknown) throw new Error('no samples')
    const t = Math.abs(welchT(live, unknown))
    console.log(
      `figure 23: ${steps} first requests of a step without a code: live ${(live.mean / 1000).toFixed(1)} us, ` +
        `unknown ${(unknown.mean / 1000).toFixed(1)} us, |t| ${t.toFixed(2)}`,
    )
    expect(t).toBeLessThan(4.5)
  })
})

/** The same for proofs: an invalid one is no guess, so its time must not tell that a token is live. */
describe('a request with a proof', () => {
  const clock = new Clock()
  const expired = -1000

  /** Each with a live token and one of nobody. */
  const faults: Readonly<Record<string, (token: string) => Sent>> = {
    'no proof': (token) => stripped(signed({ token })),
    'no proof, no code': (token) => without(stripped(signed({ token })), 'x-totp'),
    'half a pair': (token) => without(signed({ token }), 'signature'),
    'too long a life': (token) => signed({ token, life: 100 }),
    'a field that is not covered': (token) => {
      const sent = signed({ token })
      return { ...sent, fields: { ...sent.fields, 'a2a-version': '1.0' } }
    },
    'no digest': (token) => without(signed({ token }), 'content-digest'),
    'the key of another': (token) => signed({ token, seed: peers.bob.seed }),
    'another path': (token) => ({ ...signed({ token }), target: '/other' }),
    stale: (token) => signed({ token, created: expired }),
    'a proof over a wrong code': (token) => signed({ token, code: wrongCodeOf(clock.at) }),
  }

  it('takes as long with a live token as with an unknown one, whatever is wrong with it', async () => {
    const { scheme } = schemeFor(clock, {
      ...signedOptions('require'),
      throttle: { strangers: { perMinute: 1e9 } },
      // Their tokens are live as well, and a period of their own makes other lifetimes right.
      peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed }], period: 60 }, bob: peers.bob.seed },
    })
    const calls = Object.entries(faults).map(([fault, make]) => ({
      fault,
      requests: {
        live: received(make(peers.alice.token)).request,
        unknown: received(make(tokenOf('nobody'))).request,
      },
      samples: { live: [] as number[], unknown: [] as number[] },
    }))
    const random = numbers(20_261_130)
    const answers = new Set<string>()
    for (let round = 0; round < warmUp + rounds; round++) {
      for (const { requests, samples } of calls) {
        const order = random(2) === 0 ? (['live', 'unknown'] as const) : (['unknown', 'live'] as const)
        for (const token of order) {
          const begin = process.hrtime.bigint()
          const { refusal } = await scheme.authenticate(requests[token])
          const took = Number(process.hrtime.bigint() - begin)
          if (round >= warmUp) samples[token].push(took)
          else answers.add(JSON.stringify(refusal && httpAnswer(refusal)))
        }
      }
    }
    expect([...answers]).toHaveLength(1)
    const ts = calls.map(({ fault, samples: { live, unknown } }) => {
      const t = Math.abs(welchT(momentsOf(live), momentsOf(unknown)))
      const [least = 0, most = 0] = trimmedMeans(new Map(Object.entries({ live, unknown }))).sort(
        (a, b) => a - b,
      )
      return { fault, t, spread: most / least - 1 }
    })
    for (const { fault, t, spread } of ts)
      console.log(
        `figure 14, proofs, ${fault}: |t| ${t.toFixed(2)}, means differ by ${(spread * 100).toFixed(1)} %`,
      )
    for (const { t, spread } of ts) expect(t < 4.5 || spread < 0.08).toBe(true)
    for (const { spread } of ts) expect(spread).toBeLessThan(0.15)
  })
})
