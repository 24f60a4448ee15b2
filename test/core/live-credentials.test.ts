import { describe, expect, it } from 'vitest'
import {
  liveSeedsOf,
  liveSharedSeedsOf,
  requireKnown,
  seedToHandOut,
  tokenToHandOut,
} from '../../src/core/live-credentials.js'
import { TokenHash } from '../../src/core/token.js'
import { failureOf } from '../support/failure.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const expired = seedCredential('s1', 1, past)
const older = seedCredential('s2', 2, future)
const newest = seedCredential('s3', 3)
const alice = peerOf('alice', {
  seeds: [expired, older, newest],
  tokens: [tokenCredential('t1', 'a2at_old', future), tokenCredential('t2', 'a2at_new')],
})
const hasExpired = (words: string): object => {
  const message = expect.stringContaining(words) as string
  return expect.objectContaining({ code: 'ERR_CREDENTIAL_EXPIRED', message }) as object
}

describe("a peer's live credentials", () => {
  it('are those that have not expired, the newest to hand out', () => {
    const roster = rosterOf([alice])
    expect(liveSeedsOf(roster, alice, lookAt)).toEqual([older, newest])
    expect(seedToHandOut(roster, alice, lookAt)).toBe(newest)
    expect(tokenToHandOut(alice, lookAt).id).toBe('t2')
    expect(liveSharedSeedsOf(roster, lookAt)).toBeUndefined()
  })

  it('are the shared seeds where there are some', () => {
    const peer = peerOf('alice', { seeds: [] })
    const roster = rosterOf([peer], { sharedSeeds: [expired, older] })
    expect(liveSeedsOf(roster, peer, lookAt)).toEqual([older])
    expect(seedToHandOut(roster, peer, lookAt)).toBe(older)
    expect(liveSharedSeedsOf(roster, lookAt)).toEqual([older])
  })

  it('are an error where all have expired, with the command that renews them', () => {
    const bob = peerOf('bob', { seeds: [expired], tokens: [tokenCredential('t', 'a2at_old', past)] })
    const shared = rosterOf([bob], { sharedSeeds: [expired] })
    expect(() => liveSeedsOf(rosterOf([bob]), bob, lookAt)).toThrow(
      hasExpired('every seed of "bob" has expired; run `a2a-totp rotate bob`'),
    )
    expect(() => tokenToHandOut(bob, lookAt)).toThrow(hasExpired('every token of "bob"'))
    expect(() => liveSeedsOf(shared, bob, lookAt)).toThrow(hasExpired('`a2a-totp rotate --all --seed`'))
    expect(() => liveSharedSeedsOf(shared, lookAt)).toThrow(hasExpired('the shared seed'))
  })
  it('are an error where only the hash of the token is known, with what would tell it', () => {
    const { token } = tokenCredential('t', 'a2at_old')
    const known = { id: 't', createdAt: lookAt, token: TokenHash.parse(token.hash) }
    expect(failureOf(() => tokenToHandOut(peerOf('bob', { tokens: [known] }), lookAt))).toMatchObject({
      code: 'ERR_TOKEN_UNKNOWN',
      message:
        'only the hash is known of the token of "bob", so it cannot be sent; ' +
        "import bob's own configuration, or run `a2a-totp rotate bob --token` for a new one",
    })
    expect(requireKnown(token, 'bob')).toBe(token)
  })
})
