import { describe, expect, it } from 'vitest'
import {
  findHolder,
  hashOf,
  isSame,
  mergeCredentials,
  seedOf,
  sharesSeed,
  sharesToken,
} from '../../src/core/credential-match.js'
import type { Canary, Peer } from '../../src/core/roster.js'
import { hashToken, TokenHash } from '../../src/core/token.js'
import {
  future,
  lookAt,
  madeAt,
  peerOf,
  rosterOf,
  seedCredential,
  tokenCredential,
} from '../support/roster.js'

const trap: Canary = { name: 'trap', createdAt: madeAt, tokens: [tokenCredential('c1', 'a2at_bait')] }
const rotated = peerOf('alice', {
  seeds: [seedCredential('s1', 1), seedCredential('s2', 2)],
  tokens: [tokenCredential('t1', 'a2at_old'), tokenCredential('t2', 'a2at_new')],
})
const roster = rosterOf([peerOf('bob'), rotated, peerOf('carol', { seeds: [seedCredential('s', 2)] })], {
  canaries: new Map([['trap', trap]]),
})
const seedText = (byte: number): string => seedCredential('s', byte).seed.base32

describe('whose a client configuration is', () => {
  const holderBy = (token: string, seed?: string): string | undefined =>
    findHolder(roster, { seed, tokenHash: hashToken(token) })

  it.each([
    ['a2at_token-of-bob', 'bob'],
    ['a2at_old', 'alice'],
    ['a2at_new', 'alice'],
    ['a2at_bait', 'trap'],
    ['a2at_unknown', undefined],
  ])('is told by the token %s: %s', (token, holder) => {
    expect(holderBy(token)).toBe(holder)
  })

  it('is told by a seed that only one peer has, also beside another of its seeds', () => {
    expect(holderBy('a2at_unknown', seedText(1))).toBe('alice')
    expect(holderBy('a2at_unknown', seedText('b'.charCodeAt(0)))).toBe('bob')
  })

  it('is not told by a seed of two peers, or of none', () => {
    expect(holderBy('a2at_unknown', seedText(2))).toBeUndefined()
    expect(holderBy('a2at_unknown', seedText(3))).toBeUndefined()
  })

  it('is told by the token where the seed is another peer’s', () => {
    expect(holderBy('a2at_token-of-bob', seedText(1))).toBe('bob')
  })
})

describe('credentials of a store and of a file', () => {
  it('are shared where one of each is the same, whatever its id', () => {
    const [one, two, three] = [seedCredential('x', 1), seedCredential('y', 2), seedCredential('z', 3)]
    expect(sharesSeed(rotated.seeds, [three, two])).toBe(true)
    expect(sharesSeed([one], rotated.seeds)).toBe(true)
    expect(sharesSeed(rotated.seeds, [three])).toBe(false)
    expect(sharesSeed(rotated.seeds, [])).toBe(false)
    const tokens = [tokenCredential('x', 'a2at_x'), tokenCredential('y', 'a2at_new')]
    expect(sharesToken(rotated, { tokens })).toBe(true)
    expect(sharesToken({ tokens }, rotated)).toBe(true)
    expect(sharesToken(rotated, trap)).toBe(false)
  })

  it('have the ids of the file and the values of the store', () => {
    const { token } = tokenCredential('', 'a2at_old')
    const inFile = { id: 'file', createdAt: lookAt, token: TokenHash.parse(token.hash) }
    const merged = mergeCredentials(rotated.tokens.slice(0, 1), [inFile], hashOf)
    expect(merged).toStrictEqual([{ ...rotated.tokens[0], id: 'file' }])
  })

  it.each([
    [undefined, undefined, undefined],
    [future, undefined, future],
    [undefined, future, future],
    [lookAt, future, lookAt],
    [future, lookAt, lookAt],
  ])('end with the earlier of both ends: %o, %o', (store, file, end) => {
    const merged = mergeCredentials([seedCredential('s', 1, store)], [seedCredential('f', 1, file)], seedOf)
    expect(merged).toStrictEqual([seedCredential('f', 1, end)])
  })

  it('are all kept, in the order of the one that has all of them', () => {
    const [a, b, c] = [seedCredential('a', 1), seedCredential('b', 2), seedCredential('c', 3)]
    const ids = (store: (typeof a)[], file: (typeof a)[]): string[] =>
      mergeCredentials(store, file, seedOf).map(({ id }) => id)
    const [a2, b2] = [seedCredential('a2', 1), seedCredential('b2', 2)]
    expect(ids([a, b, c], [b2, a2])).toEqual(['a2', 'b2', 'c'])
    expect(ids([b], [a2, b2, c])).toEqual(['a2', 'b2', 'c'])
    expect(ids([a, b], [b2, c])).toEqual(['a', 'b2', 'c'])
    expect(ids([a], [])).toEqual(['a'])
    expect(ids([], [a])).toEqual(['a'])
  })
})

describe('a peer in a server file', () => {
  const alice = peerOf('alice')
  const hashOnly = {
    ...tokenCredential('alice-t1', 'x'),
    token: TokenHash.parse(hashToken('a2at_token-of-alice')),
  }

  it.each<[what: string, changes: Partial<Peer>]>([
    ['algorithm', { algorithm: 'SHA256' }],
    ['digits', { digits: 8 }],
    ['period', { period: 60 }],
    ['replay policy', { replay: 'once' }],
    ['policy for proofs', { signed: 'require' }],
    ['seed', { seeds: [seedCredential('alice-s1', 9)] }],
    ['id of its seed', { seeds: alice.seeds.map((one) => ({ ...one, id: 'other' })) }],
    ['end of its seed', { seeds: alice.seeds.map((one) => ({ ...one, expiresAt: future })) }],
    ['second seed', { seeds: [...alice.seeds, seedCredential('s2', 9)] }],
    ['token', { tokens: [tokenCredential('alice-t1', 'a2at_other')] }],
    ['id of its token', { tokens: alice.tokens.map((one) => ({ ...one, id: 'other' })) }],
    ['end of its token', { tokens: alice.tokens.map((one) => ({ ...one, expiresAt: future })) }],
    ['token that is known by its hash alone', { tokens: [hashOnly] }],
  ])('is another with another %s', (_, changes) => {
    const other = { ...alice, ...changes }
    expect(isSame(alice, other)).toBe(false)
    expect(isSame(other, { ...other })).toBe(true)
  })

  it('is the same whatever its note and its age are', () => {
    expect(isSame(alice, { ...alice, note: 'nightly', createdAt: lookAt })).toBe(true)
  })

  it('has another end where the end moves', () => {
    const ending = (end: Date): Peer => ({
      ...alice,
      tokens: alice.tokens.map((one) => ({ ...one, expiresAt: end })),
    })
    expect(isSame(ending(lookAt), ending(future))).toBe(false)
  })

  it('is compared by its tokens where it is a canary', () => {
    expect(isSame(trap, { ...trap, note: 'in the wiki' })).toBe(true)
    expect(isSame(trap, { ...trap, tokens: [tokenCredential('c1', 'a2at_other')] })).toBe(false)
    expect(isSame(trap, { ...trap, tokens: [] })).toBe(false)
  })
})
