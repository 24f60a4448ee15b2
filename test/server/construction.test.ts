import { afterEach, describe, expect, it, vi } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { hashToken, Token } from '../../src/core/token.js'
import type { SeedInput } from '../../src/server/scheme/options.js'
import {
  memoryState,
  PeerTokenAuth,
  SimpleTokenAuth,
  TOTPServerAuthScheme,
  type ServerAuthScheme,
  type TOTPServerAuthSchemeOptions,
} from '../../src/server/index.js'
import { failureOf } from '../support/failure.js'
import { bearerOf, Clock, codeOf, peers, requestWith, schemeFor, someInstant } from '../support/guarded.js'

const delegate: ServerAuthScheme = { authenticateToken: () => ({ peer: 'alice' }) }
const peerSeeds = { alice: peers.alice.seed.base32 }
const weak = 'JBSWY3DPEHPK3PXP'
const good = { delegate, peerSeeds, replay: 'reuse' }
const mappedTwice = { [peers.alice.token]: 'a', [hashToken(peers.alice.token)]: 'b' }

/** What a caller without a compiler may hand in. */
const make = (options: object): TOTPServerAuthScheme =>
  new TOTPServerAuthScheme(options as TOTPServerAuthSchemeOptions)
const withCode = (code: string): unknown => expect.objectContaining({ name: 'TOTPError', code })

describe('TOTPServerAuthScheme', () => {
  it.each<[what: string, code: string, options: object]>([
    ['both kinds of seeds', 'ERR_CONFIG_INVALID', { ...good, sharedSeed: peers.alice.seed }],
    ['no seeds', 'ERR_SEED_MISSING', { delegate, replay: 'reuse' }],
    ['an empty shared seed', 'ERR_SEED_MISSING', { delegate, sharedSeed: '', replay: 'reuse' }],
    ['a peer without a seed', 'ERR_SEED_MISSING', { ...good, peerSeeds: { ...peerSeeds, bob: '' } }],
    ['a peer with an empty set', 'ERR_SEED_MISSING', { ...good, peerSeeds: { bob: { seeds: [] } } }],
    ...['', undefined, null].map((seed): [string, string, object] => [
      `a list with a seed that is ${JSON.stringify(seed)}`,
      'ERR_SEED_MISSING',
      { ...good, peerSeeds: { bob: { seeds: [{ seed: peers.bob.seed }, { seed }] } } },
    ]),
    ['a seed that is undefined', 'ERR_SEED_MISSING', { ...good, peerSeeds: { bob: undefined } }],
    ['a seed that is null', 'ERR_SEED_MISSING', { ...good, peerSeeds: { bob: null } }],
    ['a seed of another kind', 'ERR_SEED_INVALID', { ...good, peerSeeds: { bob: { seed: 'x' } } }],
    ['a number for a seed', 'ERR_SEED_INVALID', { ...good, peerSeeds: { bob: 123 }, allowWeakSeeds: true }],
    ...['2030-01-01T00:00:00Z', 0, new Date(NaN)].map((expiresAt): [string, string, object] => [
      `a seed that expires at ${String(expiresAt)}`,
      'ERR_CONFIG_INVALID',
      { ...good, peerSeeds: { bob: { seeds: [{ seed: peers.bob.seed, expiresAt }] } } },
    ]),
    ...[0, -1, NaN, Infinity, 1.5].flatMap((count): [string, string, object][] => [
      [
        `${count} strangers a minute`,
        'ERR_CONFIG_INVALID',
        { ...good, throttle: { strangers: { perMinute: count } } },
      ],
      [`${count} sources`, 'ERR_CONFIG_INVALID', { ...good, throttle: { strangers: { sources: count } } }],
    ]),
    ['a seed that is no base32', 'ERR_SEED_INVALID', { ...good, peerSeeds: { bob: 'not-base32!' } }],
    ['a weak seed', 'ERR_SEED_WEAK', { ...good, peerSeeds: { bob: weak } }],
    ['an unknown policy for proofs', 'ERR_CONFIG_INVALID', { ...good, agent: 'billing', signed: 'always' }],
    ...['observe', 'accept', 'require'].flatMap((signed): [string, string, object][] => [
      [`${signed} without the agent’s name`, 'ERR_CONFIG_INVALID', { ...good, signed }],
      [
        `${signed} of a peer without the agent’s name`,
        'ERR_CONFIG_INVALID',
        { ...good, peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed }], signed } } },
      ],
    ]),
    ['an agent’s name that is none', 'ERR_CONFIG_INVALID', { ...good, agent: 'bill/ing' }],
    ...['accept', 'require'].flatMap((signed) =>
      [{ supports: { once: true } }, { supports: { once: true, proofs: 'no' } }, {}].map(
        (state): [string, string, object] => [
          `${signed} with a state that says ${JSON.stringify(state)}`,
          'ERR_CONFIG_INVALID',
          { ...good, agent: 'billing', signed, state: { ...state, decide: () => undefined } },
        ],
      ),
    ),
    ...['agents', '/', '/agents/', '/agents?x', '/a b', '//a', '/ü', 7].map(
      (pathPrefix): [string, string, object] => [
        `the prefix ${pathPrefix}`,
        'ERR_CONFIG_INVALID',
        { ...good, pathPrefix },
      ],
    ),
    ...['off', 'observe', 'accept'].map((signed): [string, string, object] => [
      `a shared seed under once and ${signed}`,
      'ERR_CONFIG_INVALID',
      { delegate, sharedSeed: peers.bob.seed, replay: 'once', agent: 'billing', signed },
    ]),
    [
      'a shared seed under once',
      'ERR_CONFIG_INVALID',
      { delegate, sharedSeed: peers.bob.seed, replay: 'once' },
    ],
    [
      'a shared seed that is once by itself',
      'ERR_CONFIG_INVALID',
      {
        delegate,
        sharedSeed: { seeds: [{ seed: peers.bob.seed }], replay: 'once' },
        replay: 'reuse',
      },
    ],
    ['a weak shared seed', 'ERR_SEED_WEAK', { delegate, sharedSeed: weak, replay: 'reuse' }],
    [
      'a mapped token of a peer without a seed',
      'ERR_CONFIG_INVALID',
      { ...good, tokenToPeer: { abc: 'bob' } },
    ],
    [
      'a mapped token that no request can carry',
      'ERR_TOKEN_INVALID',
      { ...good, tokenToPeer: { 'a b': 'alice' } },
    ],
    [
      'a token that is mapped to two peers, once by its hash',
      'ERR_CONFIG_INVALID',
      { peerSeeds: { a: peers.alice.seed, b: peers.bob.seed }, replay: 'reuse', tokenToPeer: mappedTwice },
    ],
    ['nothing that checks the token', 'ERR_CONFIG_INVALID', { peerSeeds, replay: 'reuse' }],
    ['no replay policy', 'ERR_CONFIG_INVALID', { delegate, peerSeeds }],
    ['an unknown replay policy', 'ERR_CONFIG_INVALID', { ...good, replay: 'never' }],
    [
      'an unknown policy of one peer',
      'ERR_CONFIG_INVALID',
      { ...good, peerSeeds: { bob: { seeds: [{ seed: peers.bob.seed }], replay: 'x' } } },
    ],
    ['a window above 2', 'ERR_PROFILE_INVALID', { ...good, profile: { window: 3 } }],
    [
      'digits of one peer that are not allowed',
      'ERR_PROFILE_INVALID',
      { ...good, peerSeeds: { bob: { seeds: [{ seed: peers.bob.seed }], digits: 5 } } },
    ],
    [
      'two seeds of one id',
      'ERR_CONFIG_INVALID',
      {
        ...good,
        peerSeeds: {
          bob: {
            seeds: [
              { id: 'a', seed: peers.bob.seed },
              { id: 'a', seed: peers.alice.seed },
            ],
          },
        },
      },
    ],
    [
      'a budget of nothing',
      'ERR_CONFIG_INVALID',
      { ...good, throttle: { budgets: [{ limit: 0, seconds: 1 }] } },
    ],
    [
      'once over a guard that cannot',
      'ERR_CONFIG_INVALID',
      { ...good, replay: 'once', state: { supports: { once: false } } },
    ],
    [
      'once for one peer over a guard that cannot',
      'ERR_CONFIG_INVALID',
      {
        ...good,
        state: { supports: { once: false } },
        peerSeeds: { bob: { seeds: [{ seed: peers.bob.seed }], replay: 'once' } },
      },
    ],
    [
      'once over a state that says it in a word',
      'ERR_CONFIG_INVALID',
      { ...good, replay: 'once', state: { supports: { once: 'no' } } },
    ],
    ['once over a state that says nothing', 'ERR_CONFIG_INVALID', { ...good, replay: 'once', state: {} }],
  ])('refuses to start with %s', (_, code, options) => {
    expect(() => make(options)).toThrow(withCode(code))
  })

  it('names the peer that is at fault, and never its seed', () => {
    const run = (): unknown => make({ ...good, peerSeeds: { bob: weak } })
    expect(run).toThrow(/^peer "bob": /)
    expect(run).not.toThrow(weak)
  })

  it.each<[what: string, options: object]>([
    ['a map of tokens the wrong way round', { ...good, tokenToPeer: { alice: 'secret-of-alice' } }],
    ['a token for a peer', { ...good, tokenToPeer: { abc: peers.alice.token } }],
    ['a map of seeds the wrong way round', { ...good, peerSeeds: { [peers.alice.seed.base32]: 'alice' } }],
  ])('shows no secret that stands where a name belongs: %s', (_, options) => {
    const { message } = failureOf(() => make(options))
    for (const secret of ['secret-of-alice', peers.alice.token, peers.alice.seed.base32]) {
      expect(message).not.toContain(secret)
    }
  })

  it('lets a weak seed pass when told to', () => {
    expect(() => make({ ...good, peerSeeds: { bob: weak }, allowWeakSeeds: true })).not.toThrow()
  })

  it('needs no state that can do once for reuse', () => {
    const state = { ...memoryState(), supports: { once: false } }
    expect(() => make({ ...good, state })).not.toThrow()
  })

  it('refuses the option guard, as state was called, instead of remembering in memory alone', () => {
    expect(failureOf(() => make({ ...good, guard: memoryState() })).code).toBe('ERR_CONFIG_INVALID')
  })

  it('takes the mapped tokens for the good ones when there is no delegate', async () => {
    const scheme = make({
      peerSeeds: { alice: peers.alice.seed, bob: peers.bob.seed },
      replay: 'reuse',
      now: () => someInstant,
      tokenToPeer: { [peers.alice.token]: 'alice', [hashToken(peers.bob.token)]: 'bob' },
    })
    for (const peer of ['alice', 'bob'] as const) {
      const fields = { Authorization: bearerOf(peer), 'X-TOTP': codeOf(peer, someInstant) }
      expect((await scheme.authenticate(requestWith(fields))).caller?.peer).toBe(peer)
    }
  })

  it('shows no seed when printed', () => {
    const scheme = make({ ...good, sharedSeed: undefined })
    expect(JSON.stringify(scheme)).not.toContain(peers.alice.seed.base32)
  })
})

describe('SimpleTokenAuth', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('takes a token alone, and never that of the environment for it', () => {
    vi.stubEnv('AUTH_TOKEN', 'from-the-environment')
    const auth = new SimpleTokenAuth('abc')
    expect(auth.authenticateToken('abc')).toEqual({})
    expect(auth.authenticateToken('from-the-environment')).toEqual({ refusal: 'unknown token' })
  })

  it('knows one token, as text or as Token, and its peer', () => {
    for (const token of ['abc', Token.parse('abc')]) {
      const auth = new SimpleTokenAuth({ token, peer: 'alice' })
      expect(auth.authenticateToken('abc')).toEqual({ peer: 'alice' })
      expect(auth.authenticateToken('abd')).toEqual({ refusal: 'unknown token' })
      expect(auth.authenticateToken('')).toEqual({ refusal: 'unknown token' })
    }
  })

  it('takes its token from $AUTH_TOKEN, and refuses to start without any', () => {
    vi.stubEnv('AUTH_TOKEN', 'from-the-environment')
    expect(new SimpleTokenAuth().authenticateToken('from-the-environment')).toEqual({})
    vi.stubEnv('AUTH_TOKEN', '')
    expect(() => new SimpleTokenAuth()).toThrow(withCode('ERR_TOKEN_MISSING'))
    expect(() => new SimpleTokenAuth({ token: 'two words' })).toThrow(withCode('ERR_TOKEN_INVALID'))
  })
})

describe('PeerTokenAuth', () => {
  const context = (token: string, at: Date): { at: Date; tokenHash: string } => ({
    at,
    tokenHash: hashToken(token),
  })

  it('tells whose token it is, from an object, a map or a list, of tokens or of their hashes', () => {
    const forms = [
      { abc: 'alice', [hashToken('def')]: 'bob' },
      new Map([
        ['abc', 'alice'],
        [hashToken('def'), 'bob'],
      ]),
      [
        { token: Token.parse('abc'), peer: 'alice' },
        { token: hashToken('def'), peer: 'bob' },
      ],
    ]
    for (const tokens of forms) {
      const auth = new PeerTokenAuth(tokens)
      expect(auth.authenticateToken('abc')).toEqual({ peer: 'alice' })
      expect(auth.authenticateToken('def')).toEqual({ peer: 'bob' })
      expect(auth.authenticateToken('ghi')).toHaveProperty('refusal')
      // A hash is no token: whoever reads the server's file has nothing to send.
      expect(auth.authenticateToken(hashToken('def'))).toHaveProperty('refusal')
    }
  })

  it('refuses a token from the instant on at which it expires', () => {
    const auth = new PeerTokenAuth([{ token: 'abc', peer: 'alice', expiresAt: someInstant }])
    const before = new Date(someInstant.getTime() - 1)
    expect(auth.authenticateToken('abc', context('abc', before))).toEqual({ peer: 'alice' })
    expect(auth.authenticateToken('abc', context('abc', someInstant))).toEqual({ refusal: 'expired token' })
  })

  it.each(['2030-01-01T00:00:00Z', 0, new Date(NaN)])(
    'refuses to start with a token that expires at %s',
    (end) => {
      const tokens = [{ token: 'abc', peer: 'alice', expiresAt: end as Date }]
      expect(() => new PeerTokenAuth(tokens)).toThrow(withCode('ERR_CONFIG_INVALID'))
    },
  )

  it('refuses to start with one token of two peers', () => {
    const tokens = [
      { token: 'abc', peer: 'alice' },
      { token: hashToken('abc'), peer: 'bob' },
    ]
    expect(() => new PeerTokenAuth(tokens)).toThrow(withCode('ERR_CONFIG_INVALID'))
  })
})

describe('seeds that are listed twice', () => {
  const { seed } = peers.alice
  const padded = Seed.fromBytes(Uint8Array.of(...seed.bytes, 0))
  const once = { replay: 'once' } as const

  it.each<[what: string, peerSeeds: Readonly<Record<string, SeedInput>>, says: RegExp]>([
    [
      'in one peer',
      {
        alice: {
          seeds: [
            { id: 'a', seed },
            { id: 'b', seed },
          ],
        },
      },
      /two of its seeds are the same/,
    ],
    [
      'in one peer, with a zero byte',
      {
        alice: {
          seeds: [
            { id: 'a', seed },
            { id: 'b', seed: padded },
          ],
        },
      },
      /the same/,
    ],
    [
      'with other digits',
      { alice: seed, bob: { seeds: [{ seed }], digits: 8 } },
      /"alice" with another algorithm/,
    ],
    ['with another period', { alice: seed, bob: { seeds: [{ seed }], period: 60 } }, /another algorithm/],
    [
      'with another algorithm',
      { alice: seed, bob: { seeds: [{ seed }], algorithm: 'SHA256' } },
      /another algorithm/,
    ],
    [
      'under once',
      { alice: { seeds: [{ seed }], ...once }, bob: { seeds: [{ seed }], ...once } },
      /spend the codes/,
    ],
    [
      'under once at one of two peers',
      { alice: { seeds: [{ seed }], ...once }, bob: seed },
      /spend the codes/,
    ],
  ])('are refused %s', (_what, peerSeeds, says) => {
    const error = failureOf(() => schemeFor(new Clock(), { peerSeeds }))
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toMatch(says)
    expect(error.message).not.toContain(seed.base32)
  })

  it('are accepted at two peers under reuse', () => {
    expect(() => schemeFor(new Clock(), { peerSeeds: { alice: seed, bob: seed } })).not.toThrow()
  })
})
