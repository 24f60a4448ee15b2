import { describe, expect, it } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import {
  PeerTokenAuth,
  SimpleTokenAuth,
  TOTPServerAuthScheme,
  type PeerSeedsOptions,
  type ServerAuthScheme,
  type TokenVerdict,
} from '../../src/server/index.js'
import { peers, someInstant } from '../support/guarded.js'

const withCode = (code: string): unknown => expect.objectContaining({ name: 'TOTPError', code })

describe('TOTPServerAuthScheme.create', () => {
  const tokenToPeer = { 'token-of-alice': 'alice', 'token-of-bob': 'bob' }
  const options = {
    peerSeeds: { alice: peers.alice.seed, bob: peers.bob.seed },
    replay: 'reuse' as const,
    tokenToPeer,
  }

  it('gives a scheme when every mapped token can pass', async () => {
    expect(await TOTPServerAuthScheme.create(options)).toBeInstanceOf(TOTPServerAuthScheme)
    const unnamed = { ...options, delegate: { authenticateToken: () => ({}) } }
    expect(await TOTPServerAuthScheme.create(unnamed)).toBeInstanceOf(TOTPServerAuthScheme)
  })

  it('refuses the design in which the delegate knows one token and the map others', async () => {
    const mistaken = { ...options, delegate: new SimpleTokenAuth({ token: 'bearer-token' }) }
    await expect(TOTPServerAuthScheme.create(mistaken)).rejects.toThrow(withCode('ERR_CONFIG_INVALID'))
    await expect(TOTPServerAuthScheme.create(mistaken)).rejects.not.toThrow('token-of-alice')
  })

  it("refuses a map that calls one peer's token another's", async () => {
    const swapped = { 'token-of-alice': 'bob' }
    const mistaken = { ...options, delegate: new PeerTokenAuth(tokenToPeer), tokenToPeer: swapped }
    await expect(TOTPServerAuthScheme.create(mistaken)).rejects.toThrow(withCode('ERR_CONFIG_INVALID'))
  })

  const bobByHash = { [hashToken('token-of-bob')]: 'bob' }
  const own = (verdict: TokenVerdict): ServerAuthScheme => ({ authenticateToken: () => verdict })
  const past = new Date(someInstant.getTime() - 1)
  const expired = { seed: peers.bob.seed, id: 'expired', expiresAt: past }
  class Extended extends PeerTokenAuth {}

  it.each<[what: string, given: Partial<PeerSeedsOptions>]>([
    ['lists every token', { delegate: new PeerTokenAuth(tokenToPeer), tokenToPeer: bobByHash }],
    ['has the one token', { delegate: new SimpleTokenAuth('token-of-bob'), tokenToPeer: bobByHash }],
    ['cannot be asked by a hash', { delegate: own({ refusal: 'no token' }), tokenToPeer: bobByHash }],
    ['extends ours', { delegate: new Extended({}), tokenToPeer: bobByHash }],
    ['lets it pass until later', { delegate: own({ expiresAt: new Date(someInstant.getTime() + 1) }) }],
    ['is not there', { tokenToPeer: bobByHash }],
  ])('asks a delegate that %s, and finds nothing wrong', async (_, given) => {
    const scheme = TOTPServerAuthScheme.create({ ...options, now: () => someInstant, ...given })
    expect(await scheme).toBeInstanceOf(TOTPServerAuthScheme)
  })

  it.each<[what: string, given: Partial<PeerSeedsOptions>]>([
    ['is not in the list', { delegate: new PeerTokenAuth({ a: 'alice' }), tokenToPeer: bobByHash }],
    ['is not the only one', { delegate: new SimpleTokenAuth('a'), tokenToPeer: bobByHash }],
    [
      'is listed as another’s',
      { delegate: new PeerTokenAuth({ 'token-of-bob': 'alice' }), tokenToPeer: bobByHash },
    ],
    [
      'has expired in the list',
      {
        delegate: new PeerTokenAuth([{ token: 'token-of-bob', peer: 'bob', expiresAt: past }]),
        tokenToPeer: bobByHash,
      },
    ],
    ['is over, as its own verdict says', { delegate: own({ expiresAt: past }) }],
    ['is over now, as its own verdict says', { delegate: own({ expiresAt: someInstant }) }],
    ['has a peer without a live seed', { peerSeeds: { ...options.peerSeeds, bob: { seeds: [expired] } } }],
    [
      'has a peer without a live seed, whoever is asked,',
      { delegate: own({}), peerSeeds: { bob: { seeds: [expired] } }, tokenToPeer: bobByHash },
    ],
  ])('refuses a mapped token that %s', async (_, given) => {
    const scheme = TOTPServerAuthScheme.create({ ...options, now: () => someInstant, ...given })
    const error: unknown = await scheme.catch((thrown: unknown) => thrown)
    expect(error).toEqual(withCode('ERR_CONFIG_INVALID'))
    expect((error as Error).message).toMatch(/maps to "?(alice|bob)"? can never be accepted: /)
  })

  it('takes a peer of which one seed is live, and one without a token, whose seeds may all have expired', async () => {
    const peerSeeds = {
      alice: { seeds: [expired, { seed: peers.alice.seed }] },
      bob: { seeds: [expired] },
    }
    const scheme = TOTPServerAuthScheme.create({
      ...options,
      now: () => someInstant,
      peerSeeds,
      tokenToPeer: { 'token-of-alice': 'alice' },
    })
    expect(await scheme).toBeInstanceOf(TOTPServerAuthScheme)
  })
})
