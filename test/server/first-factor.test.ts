import { describe, expect, it, vi } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import {
  memoryState,
  PeerTokenAuth,
  TOTPServerAuthScheme,
  type PeerSeedsOptions,
  type ServerAuthScheme,
  type State,
  type TOTPServerAuthSchemeOptions,
  type TokenVerdict,
} from '../../src/server/index.js'
import { FirstFactor } from '../../src/server/scheme/first-factor.js'
import type { PeerDirectory, SchemePeer } from '../../src/server/scheme/peers.js'
import { failureOf, wellPut } from '../support/failure.js'
import { Clock, codeOf, headersOf, peers, requestWith, schemeFor, someInstant } from '../support/guarded.js'

const tokenToPeer = { [peers.alice.token]: 'alice' }
const answering = (verdict: unknown): ServerAuthScheme => ({
  authenticateToken: () => verdict as TokenVerdict,
})

/** Whom a scheme lets in with alice's token and code, or why nobody. */
async function admittedBy(given: Partial<PeerSeedsOptions>): Promise<string> {
  const { scheme } = schemeFor(new Clock(), given)
  const { caller, refusal } = await scheme.authenticate(requestWith(headersOf('alice', someInstant)))
  return caller?.peer ?? refusal?.reason ?? ''
}

/** Objects of other kinds, which say whatever they say, but not whose the token is. */
class Answer {
  readonly claims = {}
}
const bare = (fields: object): object => Object.assign(Object.create(null) as object, fields)

describe('a verdict without a peer', () => {
  it.each<[what: string, verdict: object]>([
    ['that is empty', {}],
    ['that has no prototype', bare({})],
    [
      'with every field that a verdict has',
      { peer: undefined, claims: {}, expiresAt: null, refusal: undefined },
    ],
    ['whose peer is null', { peer: null }],
    ['that ends later', { expiresAt: new Date(someInstant.getTime() + 1) }],
  ])('accepts a mapped token: %s', async (_, verdict) => {
    expect(await admittedBy({ delegate: answering(verdict), tokenToPeer })).toBe('alice')
  })

  it.each<[what: string, verdict: object]>([
    ['says something else', { ok: false }],
    ['says something else among fields of a verdict', { claims: {}, error: 'expired' }],
    ['says something else without a prototype', bare({ ok: true })],
    ['is an error', new Error('expired')],
    ['is of a class of its own', new Answer()],
    ['is a list', []],
    ['says that it refuses', { refusal: '' }],
  ])('refuses a mapped token where it %s', async (_, verdict) => {
    expect(await admittedBy({ delegate: answering(verdict), tokenToPeer })).toBe('token-refused')
  })

  it('is nobody’s where each peer has a seed of its own, even if one is called "peer"', async () => {
    const peerSeeds = { peer: peers.alice.seed }
    expect(await admittedBy({ delegate: answering({}), peerSeeds })).toBe('peer-unknown')
  })
})

describe('a verdict with a peer', () => {
  it.each<[what: string, verdict: object]>([
    ['whatever else it says', { peer: 'alice', ok: false }],
    ['of any class', Object.assign(new Answer(), { peer: 'alice' })],
    ['whose end is null', { peer: 'alice', expiresAt: null }],
  ])('accepts the token: %s', async (_, verdict) => {
    expect(await admittedBy({ delegate: answering(verdict) })).toBe('alice')
  })

  it.each([
    ['tomorrow'],
    [someInstant.getTime() + 60_000],
    [new Date(NaN)],
    [false],
    [someInstant],
    [new Date(someInstant.getTime() - 1)],
  ])('refuses the token if its end is %s', async (expiresAt) => {
    expect(await admittedBy({ delegate: answering({ peer: 'alice', expiresAt }) })).toBe('token-refused')
  })
})

describe('the owner of a token', () => {
  const alice: SchemePeer = { name: 'alice' } as SchemePeer
  const directory = {
    find: (name: string) => (name === 'alice' ? alice : undefined),
    shares: () => false,
  } as Partial<PeerDirectory> as PeerDirectory
  const ownerBy = (delegate: ServerAuthScheme): unknown =>
    new FirstFactor({ delegate } as TOTPServerAuthSchemeOptions, directory).identify(
      't',
      hashToken('t'),
      someInstant,
    )

  it('is known at once where the delegate answers at once, whatever it answers', () => {
    expect(ownerBy(answering({ peer: 'alice' }))).toMatchObject({ peer: alice })
    expect(ownerBy(answering({ refusal: 'unknown' }))).toEqual({ reason: 'token-refused' })
    expect(ownerBy(answering({ peer: 'alice', then: 'later' }))).toMatchObject({ peer: alice })
  })

  it('is waited for where the delegate takes its time, by whatever kind of promise', async () => {
    const thenable = { then: (done: (verdict: TokenVerdict) => void) => done({ peer: 'alice' }) }
    for (const verdict of [Promise.resolve({ peer: 'alice' }), thenable]) {
      const owner = ownerBy(answering(verdict))
      expect(owner).toBeInstanceOf(Promise)
      expect(await owner).toMatchObject({ peer: alice })
    }
  })
})

describe('what a state is told of a token', () => {
  /** What a state was asked when alice came in. */
  async function askedWith(delegate: ServerAuthScheme) {
    const memory = memoryState({ since: new Date(0) })
    const decide = vi.fn<State['decide']>((attempt) => memory.decide(attempt))
    expect(await admittedBy({ delegate, state: { supports: memory.supports, decide } })).toBe('alice')
    return decide.mock.lastCall?.[0] ?? expect.fail()
  }

  it('is its hash, and the live ones of its peer, if the delegate lists its tokens', async () => {
    const delegate = new PeerTokenAuth({
      [peers.alice.token]: 'alice',
      other: 'alice',
      [peers.bob.token]: 'bob',
    })
    const { token, liveTokens } = await askedWith(delegate)
    expect(token).toBe(hashToken(peers.alice.token))
    expect(liveTokens?.()).toEqual([peers.alice.token, 'other'].map(hashToken))
  })

  it('is nothing if the delegate does not', async () => {
    const { token, liveTokens } = await askedWith(answering({ peer: 'alice' }))
    expect([token, liveTokens]).toEqual([undefined, undefined])
  })
})

describe('a scheme that cannot start', () => {
  const start = (given: object) =>
    failureOf(
      () =>
        new TOTPServerAuthScheme({
          peerSeeds: { alice: peers.alice.seed, bob: peers.bob.seed },
          replay: 'reuse',
          ...given,
        }),
    )

  it.each<[what: string, given: object, says: RegExp]>([
    ['nothing checks the token', {}, /pass a delegate, or tokenToPeer/],
    ['a map is empty', { tokenToPeer: {} }, /pass a delegate, or tokenToPeer/],
    [
      'a token is mapped twice',
      { tokenToPeer: { ...tokenToPeer, [hashToken(peers.alice.token)]: 'bob' } },
      /map each token once/,
    ],
    [
      'a peer is mapped to a token',
      { tokenToPeer: { alice: 'x' } },
      /"alice" where a token belongs; write \{ TOKEN: PEER \}/,
    ],
    [
      'a peer has no seed',
      { tokenToPeer: { x: 'carol' } },
      /"carol", which has no seed; add it to peerSeeds/,
    ],
  ])('says what would be right if %s', (_, given, says) => {
    const error = start(given)
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toMatch(says)
  })

  it.each<[what: string, given: Partial<PeerSeedsOptions>, says: RegExp]>([
    [
      'the delegate refuses it',
      { delegate: answering({ refusal: 'unknown' }) },
      /add it to the delegate, or leave the delegate out/,
    ],
    [
      'no seed of its peer is live',
      { peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed, expiresAt: someInstant }] } } },
      /add a live one, or drop the token/,
    ],
  ])('says of a mapped token what would be right if %s', async (_, given, says) => {
    const options = { peerSeeds: { alice: peers.alice.seed }, replay: 'reuse', tokenToPeer } as const
    const made = TOTPServerAuthScheme.create({ ...options, now: () => someInstant, ...given })
    const error = await made.then(
      () => expect.fail('it started'),
      (thrown: unknown) => wellPut(thrown as Error),
    )
    expect(error.message).toMatch(says)
    expect(error.message).not.toContain(peers.alice.token)
  })
})

describe('a mapped token with whitespace around it', () => {
  it('is the one that requests carry', async () => {
    const authenticateToken = vi.fn((token: string) => (token === 'abc' ? {} : { refusal: 'unknown' }))
    const scheme = await TOTPServerAuthScheme.create({
      peerSeeds: { alice: peers.alice.seed },
      replay: 'reuse',
      now: () => someInstant,
      tokenToPeer: { ' abc\n': 'alice' },
      delegate: { authenticateToken },
    })
    const fields = { Authorization: 'Bearer abc', 'X-TOTP': codeOf('alice', someInstant) }
    expect((await scheme.authenticate(requestWith(fields))).caller?.peer).toBe('alice')
  })
})
