import { describe, expect, it } from 'vitest'
import type { Canary, Peer, RemovedPeer, Roster } from '../../src/core/roster.js'
import { Token, TokenHash } from '../../src/core/token.js'
import { checkName, checkRoster } from '../../src/store/roster-rules.js'
import { failureOf } from '../support/failure.js'
import { canariesNamed, canaryOf } from '../support/known-agent.js'
import { madeAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const late = new Date('+010000-01-01T00:00:00Z')
const year = 'must be in the years 0000 to 9999'
const alice = peerOf('alice')
const shared = [seedCredential('s1', 1)]

/** Says what is wrong with a roster, after the words that every such error begins with. */
function problemOf(roster: Roster): string {
  const { code, message } = failureOf(() => checkRoster(roster))
  expect(code).toBe('ERR_STORE_INVALID')
  const start = 'the store is not valid: '
  expect(message.startsWith(start)).toBe(true)
  return message.slice(start.length)
}
const problemWith = (peer: Partial<Peer>, overrides: Partial<Roster> = {}): string =>
  problemOf(rosterOf([peerOf('alice', peer)], overrides))

/** The same token, known by its hash alone. */
function hashed(value: string): TokenHash {
  return TokenHash.parse(Token.parse(value).hash)
}

describe('a roster', () => {
  it('may have peers with seeds of their own or the shared ones, canaries, and a serial', () => {
    const canaries = canariesNamed(
      canaryOf('bait', 'a2at_bait-1', 'a2at_bait-2'),
      canaryOf('lure', 'a2at_lure'),
    )
    const pending = {
      id: 'r1',
      since: madeAt,
      step: 'staged',
      seed: true,
      token: true,
      overlapMs: 0,
    } as const
    for (const roster of [
      rosterOf([]),
      rosterOf([alice, peerOf('bob', { pending })], { serial: Number.MAX_SAFE_INTEGER, canaries }),
      rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds: [...shared, seedCredential('s2', 2)] }),
    ]) {
      expect(() => checkRoster(roster)).not.toThrow()
    }
  })

  it.each([1.5, Number.NaN, Infinity, Number.MAX_SAFE_INTEGER + 1])('has no serial like %d', (serial) => {
    expect(problemOf(rosterOf([alice], { serial }))).toBe('serial must be a whole number')
  })

  it.each<[string, Partial<Peer>]>([
    ['createdAt', { createdAt: late }],
    [
      'pending.since',
      { pending: { id: 'r', since: late, step: 'staged', seed: true, token: true, overlapMs: 0 } },
    ],
    ['seeds[0].createdAt', { seeds: [{ ...seedCredential('s', 1), createdAt: late }] }],
    ['seeds[1].expiresAt', { seeds: [seedCredential('s', 1), seedCredential('t', 1, late)] }],
    ['tokens[0].createdAt', { tokens: [{ ...tokenCredential('t', 'a2at_t'), createdAt: late }] }],
    ['tokens[0].expiresAt', { tokens: [tokenCredential('t', 'a2at_t', late)] }],
  ])('has no instant that cannot be written, such as in %s', (path, peer) => {
    expect(problemWith(peer)).toBe(`peers.alice.${path} ${year}`)
  })

  it('has seeds of peers or shared ones, and no empty list of either', () => {
    expect(problemWith({ seeds: [] })).toBe('peers.alice.seeds must not be empty')
    expect(problemWith({ tokens: [] })).toBe('peers.alice.tokens must not be empty')
    expect(problemWith({ seeds: [] }, { sharedSeeds: [] })).toBe('sharedSeeds must not be empty')
    expect(problemWith({}, { sharedSeeds: shared })).toBe(
      'peers.alice.seeds must be empty, because the store has shared seeds',
    )
    const twice = [seedCredential('s1', 1), seedCredential('s1', 2)]
    expect(problemWith({ seeds: [] }, { sharedSeeds: twice })).toBe(
      'sharedSeeds[1].id must differ from the ids before it',
    )
    const undated = [{ ...seedCredential('s1', 1), createdAt: late }]
    expect(problemWith({ seeds: [] }, { sharedSeeds: undated })).toBe(`sharedSeeds[0].createdAt ${year}`)
  })

  it('has no token twice, whether it is known itself or by its hash', () => {
    const [one, other] = ['a2at_the-one', 'a2at_the-other']
    const tokensOf = (...tokens: (Token | TokenHash)[]): Peer['tokens'] =>
      tokens.map((token, index) => ({ id: `t${index}`, createdAt: madeAt, token }))
    const bobWith = (first: Token | TokenHash, ...bobs: (Token | TokenHash)[]): Roster =>
      rosterOf([peerOf('alice', { tokens: tokensOf(first) }), peerOf('bob', { tokens: tokensOf(...bobs) })])
    const words = 'must differ from every other token'
    for (const [first, second] of [
      [Token.parse(one), Token.parse(one)],
      [Token.parse(one), hashed(one)],
      [hashed(one), Token.parse(one)],
      [hashed(one), hashed(one)],
    ] as const) {
      expect(problemOf(bobWith(first, second))).toBe(`peers.bob.tokens[0].token ${words}`)
      expect(problemOf(bobWith(first, Token.parse(other), second))).toBe(`peers.bob.tokens[1].token ${words}`)
    }
    expect(() => checkRoster(bobWith(hashed(one), hashed(other)))).not.toThrow()
    expect(() =>
      checkRoster(bobWith(Token.parse(one), Token.parse(other), hashed('a2at_third'))),
    ).not.toThrow()
  })
})

describe('a canary in a roster', () => {
  const withCanaries = (...canaries: Canary[]): Roster =>
    rosterOf([alice], { canaries: canariesNamed(...canaries) })
  const bait = canaryOf('bait', 'a2at_bait')

  it.each<[Canary, string]>([
    [canaryOf('alice', 'a2at_bait'), 'canaries.alice must not have the name of a peer'],
    [{ ...bait, createdAt: late }, `canaries.bait.createdAt ${year}`],
    [canaryOf('bait'), 'canaries.bait.tokens must not be empty'],
    [
      { ...bait, tokens: [tokenCredential('t', 'a2at_t', late)] },
      `canaries.bait.tokens[0].expiresAt ${year}`,
    ],
    [
      canaryOf('bait', 'a2at_token-of-alice'),
      'canaries.bait.tokens[0].token must differ from every other token',
    ],
    [
      { ...bait, tokens: [{ id: 't', createdAt: madeAt, token: hashed('a2at_token-of-alice') }] },
      'canaries.bait.tokens[0].token must differ from every other token',
    ],
    [
      canaryOf('bait', 'a2at_same', 'a2at_same'),
      'canaries.bait.tokens[1].token must differ from every other token',
    ],
  ])('is none that could be mistaken or not be written: %#', (canary, problem) => {
    expect(problemOf(withCanaries(canary))).toBe(problem)
    expect(problemOf(withCanaries(canaryOf('lure', 'a2at_lure'), canary))).toBe(problem)
  })

  it('has a name like a peer, and it is not shown where it is none', () => {
    const secret = 'a2at_secret in the wrong place'
    const canary = failureOf(() => checkRoster(withCanaries(canaryOf(secret, 'a2at_bait'))))
    expect(canary.message).toMatch(
      /^the store is not valid: canaries has a canary name that is not allowed; expected a letter or digit/,
    )
    const peers = [
      () => checkName(secret, 'peers'),
      () => checkRoster(rosterOf([{ ...alice, name: secret }])),
    ].map(failureOf)
    for (const { message } of peers) {
      expect(message).toMatch(
        /^the store is not valid: peers has a peer name that is not allowed; expected a letter or digit/,
      )
    }
    for (const error of [canary, ...peers]) {
      expect(error.code).toBe('ERR_STORE_INVALID')
      expect(error.message).not.toContain('secret')
    }
  })
})

describe('a removed peer in a roster', () => {
  const { algorithm, digits, period } = alice
  const bob: RemovedPeer = {
    ...{ name: 'bob', algorithm, digits, period, replay: 'reuse', signed: 'off', removedAt: madeAt },
    ...{ seed: seedCredential('s', 1), token: tokenCredential('t', 'a2at_token-of-bob') },
  }

  it.each<[string, Partial<RemovedPeer>]>([
    ['removedAt', { removedAt: late }],
    ['seed.createdAt', { seed: { ...bob.seed, createdAt: late } }],
    ['seed.expiresAt', { seed: { ...bob.seed, expiresAt: late } }],
    ['token.createdAt', { token: { ...bob.token, createdAt: late } }],
    ['token.expiresAt', { token: { ...bob.token, expiresAt: late } }],
  ])('has no instant that cannot be written, such as in %s', (path, overrides) => {
    const removed = [bob, { ...bob, ...overrides }]
    expect(problemOf(rosterOf([alice], { removed }))).toBe(`removed[1].${path} ${year}`)
  })

  it('may have the token of a peer that is there', () => {
    const removed = [{ ...bob, token: tokenCredential('t', 'a2at_token-of-alice') }]
    expect(() => checkRoster(rosterOf([alice], { removed }))).not.toThrow()
  })
})
