import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { signedPolicies, type SignedPolicy } from '../../src/core/proof/profile.js'
import { seedDigestOf } from '../../src/core/seed-digest.js'
import type { Attempt, State } from '../../src/state/state.js'
import type { SeedSet } from '../../src/server/scheme/options.js'
import { makePeer } from '../../src/server/scheme/peers.js'
import { failureOf } from '../support/failure.js'
import {
  bearerOf,
  Clock,
  codeOf,
  peers,
  requestWith,
  schemeFor,
  someInstant,
  wrongCodeOf,
  type PeerName,
} from '../support/guarded.js'
import { agent } from '../support/proof-of.js'
import { received, signed, stripped, type Sent } from '../support/signed.js'

const names = ['alice', 'bob'] as const
const { seed } = peers.alice

/** A scheme, and what becomes of a request. */
function watched(given: object) {
  const { scheme } = schemeFor(new Clock(), given)
  const outcomeOf = async (request: Parameters<typeof scheme.authenticate>[0]): Promise<string> => {
    const { caller, refusal } = await scheme.authenticate(request)
    return caller ? `${caller.peer} ${caller.proof}` : refusal.reason
  }
  return {
    scheme,
    plain: (peer: PeerName, code: string) =>
      outcomeOf(requestWith({ Authorization: bearerOf(peer), 'X-TOTP': code })),
    send: (sent: Sent) => outcomeOf(received(sent, { early: true }).request),
  }
}

describe('the profile of a peer', () => {
  const agents = { ...defaultProfile, digits: 8, period: 60 } as const

  it('is that of the agent but for what the peer has of its own', async () => {
    const { plain } = watched({
      profile: { digits: 8, period: 60 },
      peerSeeds: { alice: { seeds: [{ seed }], algorithm: 'SHA256' }, bob: peers.bob.seed },
    })
    const own = { ...agents, algorithm: 'SHA256' } as const
    expect(await plain('alice', codeOf('alice', someInstant, { profile: own }))).toBe('alice code')
    expect(await plain('alice', codeOf('alice', someInstant))).toBe('code-malformed')
    expect(await plain('bob', codeOf('bob', someInstant, { profile: agents }))).toBe('bob code')
  })

  it('is the object of the agent where nothing differs, so that many peers take no memory for it', () => {
    const defaults = {
      profile: agents,
      replay: 'reuse',
      signed: 'off',
      budgetsFor: () => [],
      allowWeakSeeds: false,
    } as const
    const profileOf = (set: Omit<SeedSet, 'seeds'>) =>
      makePeer('alice', { seeds: [{ seed }], ...set }, defaults).profile
    expect(profileOf({})).toBe(agents)
    expect(profileOf({ algorithm: 'SHA1', digits: 8, period: 60 })).toBe(agents)
    expect(profileOf({ digits: 6 })).toEqual({ ...agents, digits: 6 })
  })
})

it('a state is asked about the live seeds of a peer alone', async () => {
  const asked: Attempt[] = []
  const state: State = {
    supports: { once: true },
    decide: (attempt) => {
      asked.push(attempt)
      return { kind: 'wrong', counted: true, tripped: false }
    },
  }
  const seeds = [
    { seed: peers.bob.seed, expiresAt: someInstant },
    { seed, expiresAt: new Date(someInstant.getTime() + 1) },
  ]
  const { plain } = watched({ state, peerSeeds: { alice: { seeds } } })
  await plain('alice', wrongCodeOf(someInstant))
  await plain('alice', codeOf('bob', someInstant))
  const live = { peer: 'alice', seeds: [seedDigestOf(seed, defaultProfile)] }
  expect(asked).toMatchObject([live, live])
})

describe('the guesses at a seed', () => {
  const orders = [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const
  const exhaust = async (given: object, guesser: PeerName) => {
    const { plain } = watched(given)
    for (let n = 0; n < 5; n++) expect(await plain(guesser, wrongCodeOf(someInstant, n))).toBe('code-wrong')
    return plain
  }

  it.each(orders)(
    'count for every peer that has it, with the token of %s as of %s',
    async (guesser, other) => {
      for (const given of [
        { peerSeeds: { alice: seed, bob: seed } },
        { peerSeeds: undefined, sharedSeed: seed },
      ]) {
        const plain = await exhaust(given, guesser)
        expect(await plain(other, codeOf('alice', someInstant))).toBe('guesses-exhausted')
      }
    },
  )

  it.each(orders)('that %s alone has do not count for %s', async (guesser, other) => {
    const plain = await exhaust({}, guesser)
    expect(await plain(other, codeOf(other, someInstant))).toBe(`${other} code`)
  })
})

describe('one seed for all peers', () => {
  it('is refused when it is listed twice', () => {
    const sharedSeed = { seeds: [{ seed }, { seed }] }
    const failure = failureOf(() => watched({ peerSeeds: undefined, sharedSeed }))
    expect(failure).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(failure.message).toContain('list each seed once')
  })

  it('proves the requests of each of them where proofs are required, under once as well', async () => {
    const sharedSeed = { seeds: [{ seed }], signed: 'require', replay: 'once' }
    const { scheme, send } = watched({ agent, peerSeeds: undefined, sharedSeed })
    expect(scheme).toMatchObject({ readsProofs: true, requiresProofs: true })
    const code = codeOf('alice', someInstant)
    for (const peer of names) {
      const sent = signed({ peer, seed, code })
      expect(await send(stripped(sent))).toBe('proof-missing')
      expect(await send(sent)).toBe(`${peer} signed`)
      expect(await send(sent)).toBe('proof-replayed')
    }
  })
})

describe('requiresProofs', () => {
  const schemeWith = (own: SignedPolicy, ofAlice: SignedPolicy, ofBob: SignedPolicy = ofAlice) =>
    watched({
      agent,
      signed: own,
      peerSeeds: {
        alice: { seeds: [{ seed }], signed: ofAlice },
        bob: { seeds: [{ seed: peers.bob.seed }], signed: ofBob },
      },
    }).scheme

  it.each(signedPolicies)(
    'says whether the policy of the agent needs them, whatever its peers have: %s',
    (own) => {
      expect(schemeWith(own, 'off').requiresProofs).toBe(own === 'require')
    },
  )

  it.each(signedPolicies)('says whether any peer needs them: %s', (policy) => {
    expect(schemeWith('off', policy, 'accept').requiresProofs).toBe(policy === 'require')
    expect(schemeWith('accept', 'off', policy).requiresProofs).toBe(policy === 'require')
  })
})
