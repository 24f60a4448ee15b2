import { afterEach, describe, expect, it, vi } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import {
  knowsHashes,
  listsToken,
  PeerTokenAuth,
  SimpleTokenAuth,
  type PeerToken,
  type ServerAuthScheme,
} from '../../src/server/scheme/delegates.js'
import { failureOf } from '../support/failure.js'
import { someInstant } from '../support/guarded.js'

const later = (seconds: number): Date => new Date(someInstant.getTime() + seconds * 1000)
const tokens: PeerToken[] = [
  { peer: 'alice', token: 'old', expiresAt: someInstant },
  { peer: 'bob', token: 'of-bob' },
  { peer: 'alice', token: 'ending', expiresAt: later(1) },
  { peer: 'alice', token: 'current' },
]
const hashes = (...given: string[]): string[] => given.map(hashToken)

class Extended extends PeerTokenAuth {}
class ExtendedSimple extends SimpleTokenAuth {}
const own: ServerAuthScheme = { authenticateToken: () => ({ peer: 'alice' }) }

describe('the live tokens of PeerTokenAuth', () => {
  it.each<[peer: string | undefined, seconds: number, live: string[]]>([
    ['alice', -1, ['old', 'ending', 'current']],
    ['alice', 0, ['ending', 'current']],
    ['alice', 1, ['current']],
    ['bob', 0, ['of-bob']],
    ['carol', 0, []],
    [undefined, 0, ['of-bob', 'ending', 'current']],
    [undefined, 1, ['of-bob', 'current']],
  ])('of %s, %i s from then, are %j', (peer, seconds, live) => {
    const auth = new PeerTokenAuth(tokens)
    // The first answer prepares the next ones.
    for (let time = 0; time < 2; time++) {
      expect(auth.liveTokens(later(seconds), peer)).toEqual(hashes(...live))
    }
  })
})

describe('the live token of SimpleTokenAuth', () => {
  it('is the only one, by its hash', () => {
    expect(new SimpleTokenAuth('abc').liveTokens()).toEqual(hashes('abc'))
  })
})

describe('the answer about a token', () => {
  it('names no peer where none is known, rather than one that is undefined', () => {
    expect(new SimpleTokenAuth('abc').authenticateToken('abc')).toStrictEqual({})
    expect(new SimpleTokenAuth({ token: 'abc', peer: 'alice' }).authenticateToken('abc')).toStrictEqual({
      peer: 'alice',
    })
  })

  it('says until when the token is valid', () => {
    const auth = new PeerTokenAuth(tokens)
    const until = (token: string): unknown =>
      auth.authenticateToken(token, { at: later(-1), tokenHash: hashToken(token) })
    expect(until('ending')).toHaveProperty('expiresAt', later(1))
    expect(until('current')).not.toHaveProperty('expiresAt')
  })

  it('says of an unknown token that it is unknown', () => {
    expect(new PeerTokenAuth(tokens).authenticateToken('abc')).toEqual({ refusal: 'unknown token' })
  })
})

describe('a delegate that cannot start', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('says where a token comes from if it has none', () => {
    vi.stubEnv('AUTH_TOKEN', '')
    const error = failureOf(() => new SimpleTokenAuth())
    expect(error.code).toBe('ERR_TOKEN_MISSING')
    expect(error.message).toContain('$AUTH_TOKEN')
  })

  it.each<[what: string, list: object[], says: RegExp]>([
    [
      'is listed twice',
      [
        { peer: 'alice', token: 'abc' },
        { peer: 'bob', token: 'abc' },
      ],
      /^a token of "bob" is listed twice; list each token once/,
    ],
    [
      'expires at no date',
      [{ peer: 'bob', token: 'abc', expiresAt: 'tomorrow' }],
      /^expiresAt of a token of "bob" must be a valid Date/,
    ],
  ])('names the peer whose token %s, and never the token', (_, list, says) => {
    const error = failureOf(() => new PeerTokenAuth(list as PeerToken[]))
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toMatch(says)
    expect(error.message).not.toMatch(/abc|sha256|tomorrow/)
  })
})

describe('a delegate that is asked about a hash alone', () => {
  it.each<[what: string, delegate: ServerAuthScheme, knows: boolean]>([
    ['PeerTokenAuth', new PeerTokenAuth(tokens), true],
    ['SimpleTokenAuth', new SimpleTokenAuth('old'), true],
    ['one that extends PeerTokenAuth', new Extended(tokens), false],
    ['one that extends SimpleTokenAuth', new ExtendedSimple('old'), false],
    ['one of the user’s own', own, false],
    ['one without a prototype', Object.assign(Object.create(null) as object, own), false],
  ])('is one of ours: %s', (_, delegate, knows) => {
    expect(knowsHashes(delegate)).toBe(knows)
    // Expired at some time, and listed all the same.
    expect(listsToken(delegate, hashToken('old'))).toBe(knows)
    expect(listsToken(delegate, hashToken('nobodys'))).toBe(false)
  })
})
