import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { HOTP } from 'otpauth'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { hashToken } from '../../src/core/token.js'
import type { State } from '../../src/state/state.js'
import { memoryState } from '../../src/state/memory-state.js'
import { PeerTokenAuth, SimpleTokenAuth, type ServerAuthScheme } from '../../src/server/scheme/delegates.js'
import { httpAnswer, type HttpAnswer } from '../../src/server/scheme/refusal.js'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import type { AuthOutcome } from '../../src/server/scheme/outcome.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { anyCharacter } from '../support/arbitraries.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  secondLooks,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'

const reasonOf = ({ caller, refusal }: AuthOutcome): string =>
  refusal?.reason ?? `accepted ${caller?.peer ?? ''}`
const right = headersOf('alice', someInstant)

/** Everything that is refused though a token came along, by the reason in the log. */
const refused: readonly [reason: string, fields: Record<string, string | readonly string[]>][] = [
  ['token-malformed', { ...right, Authorization: 'Basic YWxpY2U6' }],
  ['token-malformed', { ...right, Authorization: '' }],
  ['token-malformed', { ...right, Authorization: 'Bearer' }],
  ['token-malformed', { ...right, Authorization: `${bearerOf('alice')}, ${bearerOf('alice')}` }],
  ['token-malformed', { ...right, Authorization: `${bearerOf('alice')} ` }],
  ['token-malformed', { ...right, Authorization: peers.alice.token }],
  ['token-doubled', { ...right, Authorization: [bearerOf('alice'), bearerOf('alice')] }],
  ['token-doubled', { ...right, Authorization: [bearerOf('alice'), ''] }],
  ['token-refused', { ...right, Authorization: 'Bearer nobody' }],
  ['token-refused', { ...right, Authorization: `${bearerOf('alice')}x` }],
  ['token-refused', { Authorization: 'Bearer nobody' }],
  ['code-missing', { Authorization: bearerOf('alice') }],
  ['code-doubled', { ...right, 'X-TOTP': [codeOf('alice', someInstant), codeOf('alice', someInstant)] }],
  ['code-doubled', { ...right, 'X-TOTP': [codeOf('alice', someInstant), ''] }],
  ['code-malformed', { ...right, 'X-TOTP': '' }],
  ['code-malformed', { ...right, 'X-TOTP': '12345' }],
  ['code-malformed', { ...right, 'X-TOTP': `${codeOf('alice', someInstant)}0` }],
  [
    'code-malformed',
    { ...right, 'X-TOTP': `${codeOf('alice', someInstant)}, ${codeOf('alice', someInstant)}` },
  ],
  ['code-malformed', { ...right, 'X-TOTP': ` ${codeOf('alice', someInstant)}` }],
  ['code-malformed', { ...right, 'X-TOTP': '+23456' }],
  ['code-malformed', { ...right, 'X-TOTP': '\u00b9\u00b2\u00b3456' }],
  ['code-wrong', { ...right, 'X-TOTP': wrongCodeOf(someInstant) }],
  ['code-wrong', { ...right, 'X-TOTP': codeOf('alice', someInstant, { drift: -10 }) }],
  ['code-wrong', { ...right, 'X-TOTP': codeOf('alice', someInstant, { drift: -2 }) }],
  ['code-wrong', { ...right, 'X-TOTP': codeOf('alice', someInstant, { drift: 2 }) }],
  ['code-wrong', { ...right, 'X-TOTP': codeOf('bob', someInstant) }],
]

describe('authenticate', () => {
  it.each([-1, 0, 1])(
    'accepts token and code at drift %i, and says who it was and what proved it',
    async (drift) => {
      const { scheme } = schemeFor(new Clock())
      const request = requestWith({ ...right, 'X-TOTP': codeOf('alice', someInstant, { drift }) })
      expect(await scheme.authenticate(request)).toEqual({
        caller: {
          peer: 'alice',
          seedId: 'seed-1',
          timeStep: 60_000_000 + drift,
          drift,
          proof: 'code',
          claims: {},
        },
      })
    },
  )

  it.each(['bearer', 'BEARER', 'Bearer  '])('takes the scheme as %j', async (spelling) => {
    const { scheme } = schemeFor(new Clock())
    const request = requestWith({ ...right, Authorization: `${spelling} ${peers.alice.token}` })
    expect(reasonOf(await scheme.authenticate(request))).toBe('accepted alice')
  })

  it('takes a request that was made by hand: fields in lower case, one line as it is, nothing for none', async () => {
    const { scheme } = schemeFor(new Clock())
    const made = (fields: Record<string, unknown>): AuthRequest => ({
      ...requestWith({}),
      header: (name) => fields[name] as string[],
    })
    const code = codeOf('alice', someInstant)
    const authorization = bearerOf('alice')
    expect(reasonOf(await scheme.authenticate(made({ authorization, 'x-totp': code })))).toBe(
      'accepted alice',
    )
    expect(reasonOf(await scheme.authenticate(made({ authorization: null })))).toBe('token-missing')
    expect(reasonOf(await scheme.authenticate(made({ authorization })))).toBe('code-missing')
    const joined = made({ authorization, 'x-totp': `${code}, ${code}` })
    expect(reasonOf(await scheme.authenticate(joined))).toBe('code-malformed')
    const odd = made({ authorization: [authorization], 'x-totp': [Number(code)] })
    expect(reasonOf(await scheme.authenticate(odd))).toBe('code-malformed')
  })

  it.each([NaN, 8.64e15 + 1])('accepts nobody by a clock that shows no instant (%d)', async (ms) => {
    const { scheme } = schemeFor(new Clock(), { now: () => new Date(ms) })
    for (const fields of [
      right,
      { ...right, 'X-TOTP': '000000' },
      { ...right, Authorization: 'Bearer nobody' },
    ]) {
      await expect(scheme.authenticate(requestWith(fields))).rejects.toMatchObject({ code: 'ERR_USAGE' })
    }
  })

  it.each(refused)('refuses %s: %j', async (reason, fields) => {
    const { scheme } = schemeFor(new Clock())
    expect(reasonOf(await scheme.authenticate(requestWith(fields)))).toBe(reason)
  })

  it('gives every refusal the same answer, byte for byte', async () => {
    const answers = new Set<string>()
    for (const [, fields] of refused) {
      const { scheme } = schemeFor(new Clock())
      const { refusal } = await scheme.authenticate(requestWith(fields))
      answers.add(JSON.stringify(refusal && httpAnswer(refusal)))
    }
    const [only, ...more] = answers
    expect(more).toEqual([])
    const { status, headers, body } = JSON.parse(only ?? '') as HttpAnswer
    expect(status).toBe(401)
    expect(headers.slice(0, 3)).toEqual([
      ['WWW-Authenticate', 'Bearer realm="a2a", error="invalid_token"'],
      ['WWW-Authenticate', 'TOTP realm="a2a", header="X-TOTP"'],
      ['Cache-Control', 'no-store'],
    ])
    expect(JSON.parse(body)).toEqual({
      error: { code: 401, status: 'UNAUTHENTICATED', message: expect.any(String) as string },
    })
  })

  it('gives no error in the challenge when no token came (RFC 6750 §3.1)', async () => {
    const { scheme } = schemeFor(new Clock())
    const { refusal } = await scheme.authenticate(requestWith({ 'X-TOTP': codeOf('alice', someInstant) }))
    expect(refusal).toMatchObject({ kind: 'unauthenticated', reason: 'token-missing' })
    expect(refusal?.challenges[0]).toBe('Bearer realm="a2a"')
  })

  it('takes nothing for a code but the right digits, whatever a stranger sends, and never throws', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock)
    const code = codeOf('alice', someInstant)
    const near = [-1, 0, 1].map((drift) => codeOf('alice', someInstant, { drift }))
    // What a parser may skip, and anything else.
    const beside = fc.oneof(
      fc.stringMatching(/^[\s\0+.,;"0\uff11-]{0,2}$/),
      fc.string({ unit: anyCharacter, maxLength: 3 }),
    )
    const strange = fc.oneof(
      fc.tuple(beside, beside).map(([before, after]) => before + code + after),
      fc.string({ unit: anyCharacter, maxLength: 20 }),
      fc.stringMatching(/^[0-9 ,.+eE_-]{1,12}$/),
      fc.stringMatching(/^[\u0660-\u0669\uff10-\uff19]{6}$/),
      fc.constantFrom('1e5000', '\0', code.padEnd(10_000, '0'), `${code}\0`, `${code},${code}`),
    )
    await fc.assert(
      fc.asyncProperty(
        strange.filter((text) => !near.includes(text)),
        async (text) => {
          for (const Authorization of [bearerOf('alice'), `Bearer ${text}`]) {
            const outcome = await scheme.authenticate(requestWith({ Authorization, 'X-TOTP': text }))
            expect(outcome.caller).toBeUndefined()
          }
        },
      ),
      { numRuns: 300 },
    )
    // It was not locked out in the meantime.
    expect(reasonOf(await scheme.authenticate(requestWith(right)))).toBe('accepted alice')
  })

  it('serves peers called like things that every object has', async () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty']
    const { scheme } = schemeFor(new Clock(), {
      delegate: new PeerTokenAuth(names.map((peer) => ({ peer, token: `token-${peer}` }))),
      peerSeeds: new Map(names.map((peer) => [peer, peers.alice.seed])),
    })
    for (const name of names) {
      const request = requestWith({ ...right, Authorization: `Bearer token-${name}` })
      expect(reasonOf(await scheme.authenticate(request))).toBe(`accepted ${name}`)
    }
    const strict = schemeFor(new Clock(), {
      delegate: { authenticateToken: () => ({ peer: 'constructor' }) },
    })
    expect(reasonOf(await strict.scheme.authenticate(requestWith(right)))).toBe('peer-unknown')
  })

  it("checks a peer's own digits, algorithm and period", async () => {
    const profile = { algorithm: 'SHA512', digits: 8, period: 60 } as const
    const { scheme } = schemeFor(new Clock(), {
      peerSeeds: { alice: { ...profile, seeds: [{ seed: peers.alice.seed }] }, bob: peers.bob.seed },
    })
    const code = codeOf('alice', someInstant, { profile })
    expect(reasonOf(await scheme.authenticate(requestWith({ ...right, 'X-TOTP': code })))).toBe(
      'accepted alice',
    )
    expect(reasonOf(await scheme.authenticate(requestWith(right)))).toBe('code-malformed')
  })

  it('takes the code from the header of the profile, in any case, and from no other', async () => {
    const { scheme } = schemeFor(new Clock(), { profile: { header: 'X-Second-Factor' } })
    const fields = { Authorization: bearerOf('alice'), 'x-second-FACTOR': codeOf('alice', someInstant) }
    expect(reasonOf(await scheme.authenticate(requestWith(fields)))).toBe('accepted alice')
    const { refusal } = await scheme.authenticate(requestWith(right))
    expect(refusal?.reason).toBe('code-missing')
    expect(refusal?.challenges[1]).toBe('TOTP realm="a2a", header="X-Second-Factor"')
  })
})

describe('authenticate during a rotation', () => {
  const old = peers.bob.seed
  const end = new Date(someInstant.getTime() + 1)
  const peerSeeds = {
    alice: {
      seeds: [
        { id: 'old', seed: old, expiresAt: end },
        { id: 'new', seed: peers.alice.seed },
      ],
    },
  }
  const delegate = new PeerTokenAuth([
    { peer: 'alice', token: 'old-token', expiresAt: end },
    { peer: 'alice', token: 'new-token' },
  ])

  it('accepts any live token with any live seed, and refuses the old ones the moment they end', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { peerSeeds, delegate })
    const results = async (): Promise<string[]> => {
      const answers = []
      for (const token of ['old-token', 'new-token']) {
        for (const peer of ['bob', 'alice'] as const) {
          const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': codeOf(peer, someInstant) }
          const { caller, refusal } = await scheme.authenticate(requestWith(fields))
          answers.push(caller?.seedId ?? refusal?.reason ?? '')
        }
      }
      return answers
    }
    expect(await results()).toEqual(['old', 'new', 'old', 'new'])
    clock.advance(0.001)
    expect(await results()).toEqual(['token-refused', 'token-refused', 'code-wrong', 'new'])
  })
})

describe('authenticate with one shared seed', () => {
  const shared = (given = {}): TOTPServerAuthScheme =>
    new TOTPServerAuthScheme({
      sharedSeed: peers.alice.seed,
      replay: 'reuse',
      now: () => someInstant,
      tokenToPeer: { [peers.alice.token]: 'alice', [hashToken(peers.bob.token)]: 'bob' },
      ...given,
    })

  it('tells the peers apart by their tokens', async () => {
    for (const name of ['alice', 'bob'] as const) {
      const request = requestWith({ ...right, Authorization: bearerOf(name) })
      expect(reasonOf(await shared().authenticate(request))).toBe(`accepted ${name}`)
    }
  })

  it('accepts any peer that the delegate names, and calls one without a name "peer"', async () => {
    const named = { delegate: { authenticateToken: () => ({ peer: 'carol' }) }, tokenToPeer: undefined }
    expect(reasonOf(await shared(named).authenticate(requestWith(right)))).toBe('accepted carol')
    const unnamed = { delegate: { authenticateToken: () => ({}) }, tokenToPeer: undefined }
    expect(reasonOf(await shared(unnamed).authenticate(requestWith(right)))).toBe('accepted peer')
  })

  it('refuses a token that the delegate knows and the map does not', async () => {
    const scheme = shared({ delegate: { authenticateToken: () => ({}) } })
    const request = requestWith({ ...right, Authorization: 'Bearer unmapped' })
    expect(reasonOf(await scheme.authenticate(request))).toBe('peer-unknown')
  })
})

describe('authenticate under once', () => {
  it('accepts exactly one of 64 identical requests at once', async () => {
    const { scheme, events } = schemeFor(new Clock(), { replay: 'once' })
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, () => scheme.authenticate(requestWith(right))),
    )
    expect(outcomes.filter(({ caller }) => caller)).toHaveLength(1)
    const again = outcomes.find(({ refusal }) => refusal)?.refusal
    expect(again).toMatchObject({ kind: 'unauthenticated', reason: 'code-replayed', retryAfter: 15 })
    expect(events.map(({ type }) => type).sort()).toEqual([
      'authenticated',
      ...Array.from({ length: 63 }, () => 'replayed'),
    ])
  })

  it('accepts exactly one of 256 identical requests at once, ten time steps in a row', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { replay: 'once', onEvent: undefined } as object)
    for (let step = 0; step < 10; step++) {
      const request = requestWith(headersOf('alice', clock.at))
      const outcomes = await Promise.all(Array.from({ length: 256 }, () => scheme.authenticate(request)))
      expect(outcomes.filter(({ caller }) => caller)).toHaveLength(1)
      expect(outcomes.filter(({ refusal }) => refusal?.reason === 'code-replayed')).toHaveLength(255)
      clock.advance(30)
    }
  })

  it('answers 503 for a code that could have been used before a restart, and accepts the first that could not', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { replay: 'once', state: undefined } as object)
    for (const wait of [45, 15]) {
      const { refusal } = await scheme.authenticate(requestWith(headersOf('alice', clock.at)))
      expect(refusal).toMatchObject({ kind: 'unavailable', reason: 'replay-unknown', retryAfter: wait })
      clock.advance(30)
    }
    expect(reasonOf(await scheme.authenticate(requestWith(headersOf('alice', clock.at))))).toBe(
      'accepted alice',
    )
  })

  it("goes by the peer's own policy where it has one", async () => {
    const { scheme } = schemeFor(new Clock(), {
      peerSeeds: { alice: { replay: 'once', seeds: [{ seed: peers.alice.seed }] }, bob: peers.bob.seed },
    })
    const answers = []
    for (const name of ['alice', 'bob', 'alice', 'bob'] as const) {
      answers.push(reasonOf(await scheme.authenticate(requestWith(headersOf(name, someInstant)))))
    }
    expect(answers).toEqual(['accepted alice', 'accepted bob', 'code-replayed', 'accepted bob'])
  })
})

describe('authenticate against guessing', () => {
  const guess = (which: number): ReturnType<typeof requestWith> =>
    requestWith({ ...right, 'X-TOTP': wrongCodeOf(someInstant, which) })

  it('evaluates exactly five guesses in 30 s, then answers 429 to the right code as well', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock)
    for (let n = 0; n < 5; n++) expect(reasonOf(await scheme.authenticate(guess(n)))).toBe('code-wrong')
    const { refusal } = await scheme.authenticate(requestWith(right))
    expect(refusal).toMatchObject({ kind: 'throttled', reason: 'guesses-exhausted', retryAfter: 30 })
    expect(events.at(-1)).toMatchObject({ type: 'throttled', reason: 'guesses-exhausted', peer: 'alice' })
    const answer = refusal && httpAnswer(refusal)
    expect(answer?.status).toBe(429)
    expect(answer?.headers).toContainEqual(['Retry-After', '30'])
    expect(answer?.body).toContain('"RESOURCE_EXHAUSTED"')

    await secondLooks()
    expect(events.filter(({ type }) => type === 'token_compromise_suspected')).toEqual([
      {
        type: 'token_compromise_suspected',
        at: someInstant,
        binding: 'http',
        source: '192.0.2.1',
        peer: 'alice',
        advice: expect.stringContaining('rotate') as string,
      },
    ])
    clock.advance(30)
    expect(reasonOf(await scheme.authenticate(requestWith(headersOf('alice', clock.at))))).toBe(
      'accepted alice',
    )
  })

  it('takes only distinct wrong codes for guesses: no repetition, nothing missing, malformed or doubled', async () => {
    const { scheme } = schemeFor(new Clock())
    const free = refused.filter(([reason]) => reason !== 'code-wrong')
    for (let n = 0; n < 20; n++) {
      await scheme.authenticate(guess(0))
      for (const [, fields] of free) await scheme.authenticate(requestWith(fields, `192.0.2.${n}`))
    }
    for (let n = 1; n < 4; n++) await scheme.authenticate(guess(n))
    expect(reasonOf(await scheme.authenticate(requestWith(right)))).toBe('accepted alice')
    await scheme.authenticate(guess(4))
    expect(reasonOf(await scheme.authenticate(requestWith(right)))).toBe('guesses-exhausted')
  })

  it('counts the guesses with all tokens of a peer together', async () => {
    const tokens = [peers.alice.token, 'another-token-of-alice']
    const delegate = new PeerTokenAuth(tokens.map((token) => ({ token, peer: 'alice' })))
    const { scheme } = schemeFor(new Clock(), { delegate })
    const reasons: string[] = []
    for (let n = 0; n < 6; n++) {
      const fields = { Authorization: `Bearer ${tokens[n % 2]}`, 'X-TOTP': wrongCodeOf(someInstant, n) }
      reasons.push(reasonOf(await scheme.authenticate(requestWith(fields))))
    }
    expect(reasons).toEqual([...Array<string>(5).fill('code-wrong'), 'guesses-exhausted'])
  })

  it('counts guesses at a seed that several peers share together', async () => {
    const { scheme } = schemeFor(new Clock(), {
      peerSeeds: undefined,
      sharedSeed: peers.alice.seed,
    } as object)
    const reasons: string[] = []
    for (let n = 0; n < 6; n++) {
      const Authorization = bearerOf(n % 2 === 0 ? 'alice' : 'bob')
      const fields = { Authorization, 'X-TOTP': wrongCodeOf(someInstant, n) }
      reasons.push(reasonOf(await scheme.authenticate(requestWith(fields))))
    }
    expect(reasons).toEqual([...Array<string>(5).fill('code-wrong'), 'guesses-exhausted'])
  })

  it('forgets the guesses with a token that is no longer live, and none where tokens are not listed', async () => {
    const clock = new Clock()
    const fresh = 'the-new-token-of-alice'
    const state = memoryState({ since: new Date(0) })
    const before = schemeFor(clock, { state }).scheme
    for (let n = 0; n < 5; n++) await before.authenticate(guess(n))
    const after = (delegate: ServerAuthScheme): Promise<AuthOutcome> =>
      schemeFor(clock, { state, delegate }).scheme.authenticate(
        requestWith({ ...right, Authorization: `Bearer ${fresh}` }),
      )
    const overlap = new PeerTokenAuth({ [peers.alice.token]: 'alice', [fresh]: 'alice' })
    expect(reasonOf(await after(overlap))).toBe('guesses-exhausted')
    expect(reasonOf(await after({ authenticateToken: () => ({ peer: 'alice' }) }))).toBe('guesses-exhausted')
    expect(reasonOf(await after(new PeerTokenAuth({ [fresh]: 'alice' })))).toBe('accepted alice')
    expect(reasonOf(await after(new SimpleTokenAuth({ token: fresh, peer: 'alice' })))).toBe('accepted alice')
  })

  it.each([
    ['is empty', () => []],
    ['is none', () => undefined],
    ['has tokens where hashes belong', () => [peers.alice.token]],
    ['is of another peer', () => [hashToken(peers.bob.token)]],
  ])('forgets no guess where the list of live tokens %s', async (_what, liveTokens) => {
    const delegate = { authenticateToken: () => ({ peer: 'alice' }), liveTokens } as ServerAuthScheme
    const { scheme } = schemeFor(new Clock(), { delegate })
    for (let n = 0; n < 5; n++) await scheme.authenticate(guess(n))
    expect(reasonOf(await scheme.authenticate(requestWith(right)))).toBe('guesses-exhausted')
  })

  it('keeps a peer throttled, whatever is guessed with any number of tokens of another', async () => {
    const delegate = {
      isLookup: true,
      authenticateToken: (token: string) => ({ peer: token.startsWith('bob') ? 'bob' : 'alice' }),
    }
    const { scheme } = schemeFor(new Clock(), { delegate, onEvent: () => undefined })
    const ask = async (token: string, code: string): Promise<string> =>
      reasonOf(await scheme.authenticate(requestWith({ Authorization: `Bearer ${token}`, 'X-TOTP': code })))
    for (let n = 0; n < 5; n++) await ask('alice', wrongCodeOf(someInstant, n))
    const reasons: Record<string, number> = {}
    for (let n = 0; n < 20_000; n++) {
      const reason = await ask(`bob-${n}`, String(n).padStart(6, '0'))
      reasons[reason] = (reasons[reason] ?? 0) + 1
    }
    expect(reasons).toEqual({ 'code-wrong': 5, 'guesses-exhausted': 19_995 })
    expect(await ask('alice', codeOf('alice', someInstant))).toBe('guesses-exhausted')
  })

  it('lets one peer be while another is throttled, and a stranger throttle nobody', async () => {
    const { scheme } = schemeFor(new Clock())
    for (let n = 0; n < 6; n++) await scheme.authenticate(guess(n))
    expect(reasonOf(await scheme.authenticate(requestWith(headersOf('bob', someInstant))))).toBe(
      'accepted bob',
    )

    const stranger = requestWith({ ...right, Authorization: 'Bearer nobody' })
    const reasons = []
    for (let n = 0; n < 61; n++) reasons.push(reasonOf(await scheme.authenticate(stranger)))
    expect(reasons.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 'token-refused'))
    expect(reasons[60]).toBe('strangers-exhausted')
    expect(reasonOf(await scheme.authenticate(requestWith(headersOf('bob', someInstant))))).toBe(
      'accepted bob',
    )
    const elsewhere = requestWith({ ...right, Authorization: 'Bearer nobody' }, '192.0.2.2')
    expect(reasonOf(await scheme.authenticate(elsewhere))).toBe('token-refused')
  })

  it('goes by the budgets it was given', async () => {
    const { scheme } = schemeFor(new Clock(), { throttle: { risk: 1, budgets: [{ limit: 1, seconds: 10 }] } })
    await scheme.authenticate(guess(0))
    expect(await scheme.authenticate(guess(1))).toMatchObject({ refusal: { retryAfter: 10 } })
  })
})

describe('authenticate when something is broken', () => {
  const down = (): never => {
    throw new Error(`connection lost while looking at ${peers.alice.token}`)
  }
  const states: Record<string, State> = {
    'throws at once': { supports: { once: true }, decide: down },
    'throws later': { supports: { once: true }, decide: () => sleep(1).then(down) },
    'accepts what does not match': { supports: { once: true }, decide: () => ({ kind: 'accepted' }) },
  }

  it.each(Object.entries(states))('answers 503 when the state %s', async (_, state) => {
    const { scheme } = schemeFor(new Clock(), { state })
    const fields = { ...right, 'X-TOTP': wrongCodeOf(someInstant) }
    const { refusal } = await scheme.authenticate(requestWith(fields))
    expect(refusal).toMatchObject({ kind: 'unavailable', reason: 'guard-failed', retryAfter: 5 })
    const answer = refusal && httpAnswer(refusal)
    expect(answer?.status).toBe(503)
    expect(JSON.stringify(answer)).not.toContain('connection lost')
  })

  it.each([
    ['at once', down],
    ['later', () => Promise.reject(new Error('no keys'))],
    [
      'when its verdict is read',
      () =>
        Promise.resolve({
          get peer(): never {
            return down()
          },
        }),
    ],
  ])('answers 503 when the delegate throws %s', async (_, authenticateToken) => {
    const { scheme } = schemeFor(new Clock(), { delegate: { authenticateToken } })
    const { refusal } = await scheme.authenticate(requestWith(right))
    expect(refusal).toMatchObject({ kind: 'unavailable', reason: 'delegate-failed' })
  })

  it.each([
    ...[undefined, null, false, '', 0, true, 1, 'no', []],
    ...[
      { refusal: null },
      { refusal: false },
      { peer: 42 },
      { peer: true },
      { peer: {} },
      { peer: ['alice'] },
    ],
  ])('refuses when a delegate answers %j, with one seed for whoever it may be as well', async (answer) => {
    const delegate = { authenticateToken: () => answer as never }
    const shared = { delegate, peerSeeds: undefined, sharedSeed: peers.alice.seed } as object
    for (const options of [{ delegate }, shared]) {
      const { scheme } = schemeFor(new Clock(), options)
      expect(reasonOf(await scheme.authenticate(requestWith(right)))).toBe('token-refused')
    }
  })

  it("refuses when delegate and map name different peers, and hands on the delegate's claims otherwise", async () => {
    const tokenToPeer = { [peers.alice.token]: 'alice' }
    const naming = (peer: string): TOTPServerAuthScheme =>
      schemeFor(new Clock(), {
        delegate: { authenticateToken: () => ({ peer, claims: { scope: 'tasks' } }) },
        tokenToPeer,
      }).scheme
    expect(reasonOf(await naming('bob').authenticate(requestWith(right)))).toBe('peer-conflict')
    const { caller } = await naming('alice').authenticate(requestWith(right))
    expect(caller).toMatchObject({ peer: 'alice', claims: { scope: 'tasks' } })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('decides the same when whoever listens %s', async (_, onEvent) => {
    const { scheme } = schemeFor(new Clock(), { onEvent })
    expect(reasonOf(await scheme.authenticate(requestWith(right)))).toBe('accepted alice')
    expect(reasonOf(await scheme.authenticate(requestWith({})))).toBe('token-missing')
  })
})

describe('events', () => {
  it('say who, from where and why, and hold no seed, token or code', async () => {
    const { scheme, events } = schemeFor(new Clock(), { replay: 'once' })
    for (const fields of [right, right, ...refused.map(([, fields]) => fields)]) {
      await scheme.authenticate(requestWith(fields))
    }
    expect(events[0]).toEqual({
      type: 'authenticated',
      at: someInstant,
      binding: 'http',
      source: '192.0.2.1',
      peer: 'alice',
      seedId: 'seed-1',
      timeStep: 60_000_000,
      drift: 0,
    })
    expect(events[1]).toMatchObject({ type: 'replayed', reason: 'code-replayed', peer: 'alice' })
    expect(events.at(-2)).toMatchObject({ type: 'refused', reason: 'code-wrong', peer: 'alice' })
    const text = JSON.stringify(events)
    for (const { seed, token } of Object.values(peers)) {
      expect(text).not.toContain(seed.base32)
      expect(text).not.toContain(token)
    }
    for (const [, { 'X-TOTP': sent = '' }] of refused) {
      for (const code of [sent].flat().filter((one) => /^\d+$/.test(one))) {
        expect(text).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`))
      }
    }
  })

  it('name no peer where the token is nobody’s', async () => {
    const { scheme, events } = schemeFor(new Clock())
    await scheme.authenticate(requestWith({}))
    expect(events).toStrictEqual([
      { type: 'refused', at: someInstant, binding: 'http', source: '192.0.2.1', reason: 'token-missing' },
    ])
  })
})

describe('the source in events', () => {
  it.each(['192.0.2.1', '::1', '::ffff:127.0.0.1', '2001:db8::2'])('is the address %s', async (source) => {
    const { scheme, events } = schemeFor(new Clock())
    await scheme.authenticate(requestWith(right, source))
    expect(events[0]).toMatchObject({ source })
  })

  it('is absent where nobody knows it', async () => {
    const { scheme, events } = schemeFor(new Clock())
    await scheme.authenticate({ ...requestWith(right), source: undefined })
    expect(events[0]).not.toHaveProperty('source')
  })

  it('is harmless in a log where a proxy forwards what a caller wrote', async () => {
    const { scheme, events } = schemeFor(new Clock())
    await scheme.authenticate(requestWith({}, '10.0.0.1\u0085\u009b2J\n::error::x ##vso[task]'))
    expect(events[0]).toMatchObject({ source: '10.0.0.1 2J : :error: :x # #vso[task]' })
  })
})

describe('work', () => {
  it('asks the delegate once a request, with the hash worked out', async () => {
    const authenticateToken = vi.fn(() => ({ peer: 'alice' }))
    const { scheme } = schemeFor(new Clock(), { delegate: { authenticateToken } })
    await scheme.authenticate(requestWith(right))
    const context = { at: someInstant, tokenHash: hashToken(peers.alice.token) }
    expect(authenticateToken.mock.calls).toEqual([[peers.alice.token, context]])
  })

  it('computes the codes of a seed once a time step', async () => {
    const clock = new Clock()
    const hmac = vi.spyOn(HOTP, 'generate')
    onTestFinished(() => hmac.mockRestore())
    const { scheme } = schemeFor(clock, { peerSeeds: { alice: peers.alice.seed } })
    const wrong = requestWith({ ...right, 'X-TOTP': wrongCodeOf(someInstant) })
    hmac.mockClear()
    for (let n = 0; n < 10; n++) await scheme.authenticate(wrong)
    expect(hmac).toHaveBeenCalledTimes(2 * defaultProfile.window + 1)
    clock.advance(30)
    await scheme.authenticate(wrong)
    expect(hmac).toHaveBeenCalledTimes(2 * defaultProfile.window + 2)
  })
})

describe('authenticate without a well-formed code', () => {
  it("computes nothing of a peer's, at the first request of a step or later", async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock)
    const generate = vi.spyOn(HOTP, 'generate')
    onTestFinished(() => {
      generate.mockRestore()
    })
    const codesFor = async (fields: Record<string, string | readonly string[]>): Promise<number> => {
      const before = generate.mock.calls.length
      await scheme.authenticate(requestWith(fields))
      return generate.mock.calls.length - before
    }
    for (let step = 0; step < 3; step++) {
      clock.advance(30)
      // Makes the decoy's codes of this step.
      await codesFor({ Authorization: 'Bearer nobody', 'X-TOTP': '123456' })
      expect(await codesFor({ Authorization: bearerOf('alice') })).toBe(0)
      expect(await codesFor({ Authorization: bearerOf('alice'), 'X-TOTP': '12345' })).toBe(0)
      expect(await codesFor({ Authorization: bearerOf('alice'), 'X-TOTP': ['123456', '123456'] })).toBe(0)
      expect(await codesFor({ Authorization: bearerOf('alice'), 'X-TOTP': '123456' })).toBeGreaterThan(0)
    }
  })
})
