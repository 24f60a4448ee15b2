import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { memoryState } from '../../src/state/memory-state.js'
import type { Attempt, State } from '../../src/state/state.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import type { PeerSeedsOptions } from '../../src/server/scheme/options.js'
import type { AuthOutcome } from '../../src/server/scheme/outcome.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import { agent } from '../support/proof-of.js'
import { received, signed, signedOptions, stripped, unseen, without, type Sent } from '../support/signed.js'

const shown = ({ caller, refusal }: AuthOutcome): string =>
  caller ? `${caller.peer} ${caller.proof}` : `${refusal.kind} ${refusal.reason}`

/** A scheme with what its state was asked. */
function watched(options: Partial<PeerSeedsOptions>) {
  const clock = new Clock()
  const memory = memoryState({ since: new Date(0) })
  const asked: Attempt[] = []
  const state: State = {
    supports: memory.supports,
    decide: (attempt) => {
      asked.push(attempt)
      return memory.decide(attempt)
    },
    takeBack: (...given) => memory.takeBack(...given),
  }
  const { scheme, events } = schemeFor(clock, { agent, state, ...options })
  return {
    clock,
    scheme,
    events,
    asked,
    send: async (sent: Sent, source?: string) =>
      shown(await scheme.authenticate(received(sent, { source, early: true }).request)),
    plain: async (code = codeOf('alice', clock.at)) =>
      shown(await scheme.authenticate(requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': code }))),
  }
}

const slow = { ...defaultProfile, period: 60 }
const policies = ['off', 'observe', 'accept', 'require'] as const
const wrongMac = (): Sent => {
  const sent = signed()
  return { ...sent, target: '/other' }
}

describe('a proof under each policy', () => {
  it.each([
    ['off', 'alice code', 'alice code', 'alice code', 'alice code'],
    ['observe', 'alice code', 'alice code', 'alice code', 'alice code'],
    ['accept', 'alice signed', 'unauthenticated proof-replayed', 'unauthenticated proof-mac', 'alice code'],
    [
      'require',
      'alice signed',
      'unauthenticated proof-replayed',
      'unauthenticated proof-mac',
      'unauthenticated proof-missing',
    ],
  ] as const)('%s: valid %s, again %s, invalid %s, none %s', async (policy, valid, again, invalid, none) => {
    const { send, plain } = watched({ signed: policy })
    const sent = signed()
    expect(await send(sent)).toBe(valid)
    expect(await send(sent)).toBe(again)
    expect(await send(wrongMac())).toBe(invalid)
    expect(await plain()).toBe(none)
  })

  it('reports the agent and the kind of proof of a caller', async () => {
    const { scheme } = watched({ signed: 'accept' })
    const { caller } = await scheme.authenticate(received(signed(), { early: true }).request)
    expect(caller).toMatchObject({ peer: 'alice', agent, proof: 'signed', timeStep: 60_000_000 })
    expect(scheme).toMatchObject({ agent, signed: 'accept', readsProofs: true })
  })

  it.each(['accept', 'require'] as const)('%s: an invalid proof is no guess', async (policy) => {
    const { send, asked } = watched({ signed: policy })
    for (let n = 0; n < 200; n++) {
      const { fields, ...rest } = signed({ code: wrongCodeOf(someInstant, n) })
      await send({ ...rest, fields: { ...fields, 'content-type': 'text/plain' } })
    }
    expect(asked).toHaveLength(0)
    expect(await send(signed())).toBe('alice signed')
  })

  it('require: a plain request is no guess, whatever its code', async () => {
    const { plain, send, asked } = watched({ signed: 'require' })
    for (let n = 0; n < 200; n++)
      expect(await plain(wrongCodeOf(someInstant, n))).toBe('unauthenticated proof-missing')
    expect(asked).toHaveLength(0)
    expect(await send(signed())).toBe('alice signed')
  })

  it.each(['accept', 'require'] as const)(
    '%s: a valid proof over a wrong code is refused, is no guess, and spends nothing',
    async (policy) => {
      const { send, asked } = watched({ signed: policy })
      for (let n = 0; n < 200; n++) {
        const sent = signed({ code: wrongCodeOf(someInstant, n) })
        expect(await send(sent)).toBe('unauthenticated code-wrong')
      }
      expect(asked).toHaveLength(0)
    },
  )

  it.each([
    ['code-malformed', '12345x'],
    ['code-wrong', codeOf('alice', someInstant, { drift: -2 })],
    ['code-wrong', codeOf('bob', someInstant)],
  ])('names %s beside a valid proof', async (reason, code) => {
    const { send, asked } = watched({ signed: 'require' })
    expect(await send(signed({ code }))).toBe(`unauthenticated ${reason}`)
    expect(asked).toHaveLength(0)
  })

  it('is uncovered where it covers a code that is not there', async () => {
    const { send } = watched({ signed: 'accept' })
    expect(await send(without(signed(), 'x-totp'))).toBe('unauthenticated proof-uncovered')
  })

  it.each(['accept', 'require'] as const)(
    '%s: a thief of the token who exhausts the budget does not lock out the peer that signs',
    async (policy) => {
      const { send, plain, clock } = watched({ signed: policy })
      const outcomes: string[] = []
      for (let n = 0; n < 10; n++) outcomes.push(await plain(wrongCodeOf(clock.at, n)))
      if (policy === 'accept') {
        expect(outcomes.slice(5)).toEqual(Array(5).fill('throttled guesses-exhausted'))
        expect(await plain()).toBe('throttled guesses-exhausted')
        expect(await send(wrongMac())).toBe('unauthenticated proof-mac')
      } else expect(new Set(outcomes)).toEqual(new Set(['unauthenticated proof-missing']))
      for (let n = 0; n < 5; n++) expect(await send(signed())).toBe('alice signed')
    },
  )

  it('a budget that was exhausted under accept stays so for plain requests, and a new policy lets in who signs', async () => {
    const state = memoryState({ since: new Date(0) })
    const before = watched({ signed: 'accept', state })
    for (let n = 0; n < 6; n++) await before.plain(wrongCodeOf(someInstant, n))
    const after = watched({ signed: 'require', state })
    expect(await after.plain()).toBe('unauthenticated proof-missing')
    expect(await after.send(signed())).toBe('alice signed')
    const plain = watched({ signed: 'off', state })
    expect(await plain.send(signed())).toBe('throttled guesses-exhausted')
  })

  it.each(['off', 'observe'] as const)('%s: no proof passes an exhausted budget', async (policy) => {
    const { send, plain, clock } = watched({ signed: policy })
    for (let n = 0; n < 6; n++) await plain(wrongCodeOf(clock.at, n))
    expect(await send(signed())).toBe('throttled guesses-exhausted')
  })

  it.each(['off', 'observe'] as const)('%s: no nonce is claimed', async (policy) => {
    const { send, asked } = watched({ signed: policy })
    await send(signed())
    expect(asked).toHaveLength(1)
    expect(asked[0]).not.toHaveProperty('proof')
  })

  it.each(policies)('%s beside once: what share a time step', async (policy) => {
    const { send, plain } = watched({ signed: policy, replay: 'once' })
    const both = policy === 'accept' || policy === 'require'
    expect(await send(signed())).toBe(both ? 'alice signed' : 'alice code')
    for (let n = 0; n < 4; n++)
      expect(await send(signed())).toBe(both ? 'alice signed' : 'unauthenticated code-replayed')
    expect(await plain()).toBe(
      policy === 'require' ? 'unauthenticated proof-missing' : 'unauthenticated code-replayed',
    )
  })

  it('once: the mark rises with a signed request, never falls, and refuses plain requests only', async () => {
    const { send, plain, clock } = watched({ signed: 'accept', replay: 'once' })
    const [behind, now, ahead] = [-1, 0, 1].map((drift) => codeOf('alice', clock.at, { drift }))
    expect(await plain(behind)).toBe('alice code')
    expect(await send(signed({ code: now }))).toBe('alice signed')
    expect(await plain(now)).toBe('unauthenticated code-replayed')
    expect(await send(signed({ code: ahead }))).toBe('alice signed')
    // An older code of the window, and a spent one.
    for (const code of [behind, now, ahead]) expect(await send(signed({ code }))).toBe('alice signed')
    expect(await plain(ahead)).toBe('unauthenticated code-replayed')
    clock.advance(60)
    expect(await plain(codeOf('alice', clock.at, { drift: -1 }))).toBe('unauthenticated code-replayed')
    expect(await plain()).toBe('alice code')
  })

  it('spends a nonce of the seed, whatever the token, the target or the content', async () => {
    const { send } = watched({ signed: 'accept' })
    const nonce = 'one and the same'
    expect(await send(signed({ nonce }))).toBe('alice signed')
    const others = [{ body: '{}' }, { target: '/a2a?x=1' }, { method: 'PUT' }, { created: 1 }] as const
    for (const other of others)
      expect(await send(signed({ nonce, ...other }))).toBe('unauthenticated proof-replayed')
    // Another seed has nonces of its own.
    expect(await send(signed({ nonce, peer: 'bob' }))).toBe('bob signed')
  })

  it('takes the proof and the code of the same seed only', async () => {
    const second = Seed.fromBytes(Buffer.alloc(20, 9))
    const { send } = watched({
      signed: 'accept',
      peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed }, { seed: second }] } },
    })
    const nonce = 'the same at both'
    expect(await send(signed({ nonce }))).toBe('alice signed')
    expect(await send(signed({ nonce, seed: second }))).toBe('unauthenticated code-wrong')
  })

  it('refuses the proof of an expired seed by its key', async () => {
    const second = Seed.fromBytes(Buffer.alloc(20, 9))
    const { send } = watched({
      signed: 'require',
      peerSeeds: {
        alice: { seeds: [{ seed: peers.alice.seed, expiresAt: someInstant }, { seed: second }] },
      },
    })
    expect(await send(signed())).toBe('unauthenticated proof-key')
  })

  it('decides by the policy of the peer, not of the scheme', async () => {
    const { send, plain } = watched({
      signed: 'off',
      peerSeeds: {
        alice: { seeds: [{ seed: peers.alice.seed }], signed: 'require' },
        bob: { seeds: [{ seed: peers.bob.seed }] },
      },
    })
    expect(await plain()).toBe('unauthenticated proof-missing')
    expect(await send(signed())).toBe('alice signed')
    const bobs = signed({ peer: 'bob' })
    expect(await send({ ...bobs, target: '/other' })).toBe('bob code')
  })

  it('limits life and lead of a proof by the period of the peer, whatever the others have', async () => {
    const { send } = watched({
      signed: 'accept',
      peerSeeds: {
        alice: { seeds: [{ seed: peers.alice.seed }] },
        bob: { seeds: [{ seed: peers.bob.seed }], period: 60 },
      },
    })
    expect(await send(signed({ life: 61 }))).toBe('unauthenticated proof-malformed')
    expect(await send(signed({ created: 61 }))).toBe('unauthenticated proof-stale')
    expect(await send(signed({ created: 60, life: 60 }))).toBe('alice signed')
    const bobs = { peer: 'bob', code: codeOf('bob', someInstant, { profile: slow }) } as const
    expect(await send(signed({ ...bobs, created: 120, life: 120 }))).toBe('bob signed')
    expect(await send(signed({ ...bobs, life: 121 }))).toBe('unauthenticated proof-malformed')
    expect(await send(signed({ ...bobs, created: 121 }))).toBe('unauthenticated proof-stale')
  })

  const long = { life: 100 }
  const withField = (name: string, value: string): Sent => {
    const sent = signed(long)
    return { ...sent, fields: { ...sent.fields, [name]: value } }
  }

  it.each<[what: string, sent: Sent]>([
    ['nothing else', signed(long)],
    ['an uncovered field', withField('a2a-version', '1.0')],
    ['an encoded content', withField('content-encoding', 'gzip')],
    ['the key of another agent', signed({ ...long, agent: 'other' })],
    ['another target', { ...signed(long), target: '/other' }],
    ['a clock far behind', signed({ ...long, created: -1000 })],
    ['a clock far ahead', signed({ ...long, created: 1000 })],
  ])('finds a life beyond that of the peer before %s', async (_, sent) => {
    for (const period of [30, 60]) {
      const { send } = watched({
        signed: 'accept',
        peerSeeds: {
          alice: { seeds: [{ seed: peers.alice.seed }] },
          bob: { seeds: [{ seed: peers.bob.seed }], period },
        },
      })
      expect(await send(sent)).toBe('unauthenticated proof-malformed')
    }
  })

  it('puts back the path that a proxy takes away', async () => {
    const { send } = watched({ signed: 'require', pathPrefix: '/agents/billing' })
    const sent = signed({ target: '/agents/billing/a2a?x=1' })
    expect(await send({ ...sent, target: '/a2a?x=1' })).toBe('alice signed')
    expect(await send(signed())).toBe('unauthenticated proof-mac')
  })

  it('puts nothing before the path where the prefix is empty', async () => {
    const { send } = watched({ signed: 'require', pathPrefix: '' })
    expect(await send(signed())).toBe('alice signed')
  })

  it('answers 503 for a proof that was created before the memory begins', async () => {
    const state = memoryState({ since: someInstant })
    const { send } = watched({ signed: 'accept', state })
    expect(await send(signed({ created: -1 }))).toBe('unavailable replay-unknown')
    expect(await send(signed({ created: 0 }))).toBe('alice signed')
  })
})

describe('the reason of a refusal', () => {
  const of = async (sent: Sent, policy: 'accept' | 'require' = 'require') =>
    (await watched({ signed: policy }).send(sent)).split(' ')[1]
  const wrongCode = wrongCodeOf(someInstant)

  it.each<[string, Sent]>([
    ['proof-missing', stripped(signed())],
    ['proof-missing', without(stripped(signed()), 'x-totp')],
    ['proof-malformed', without(signed({ code: wrongCode }), 'signature')],
    ['proof-malformed', signed({ life: 61, target: '/x' })],
    ['proof-uncovered', { ...signed(), fields: { ...signed().fields, 'a2a-version': '1.0' } }],
    [
      'proof-digest',
      { ...signed({ created: -1000 }), fields: { ...signed().fields, 'content-digest': 'md5=:AA==:' } },
    ],
    ['proof-digest', { ...signed(), fields: { ...signed().fields, 'content-encoding': 'gzip' } }],
    ['proof-key', signed({ seed: peers.bob.seed, created: -1000 })],
    ['proof-key', signed({ agent: 'shipping', code: wrongCode })],
    ['proof-mac', { ...signed({ created: -1000, code: wrongCode }), target: '/x' }],
    ['proof-stale', signed({ created: -1000, code: wrongCode })],
    ['proof-stale', signed({ created: 61 })],
    ['proof-digest', { ...signed(), body: 'another' }],
  ])('is the first that applies: %s', async (reason, sent) => {
    expect(await of(sent)).toBe(reason)
  })

  it.each<[string, Sent]>([
    ['token-malformed', { ...signed(), fields: { ...signed().fields, authorization: 'Basic YTpi' } }],
    ['token-refused', signed({ token: 'nobody' })],
    ['token-missing', without(stripped(signed()), 'authorization')],
  ])('is about the token before the proof: %s', async (reason, sent) => {
    expect(await of(sent)).toBe(reason)
  })

  it('is about a spent nonce before the content', async () => {
    const { send } = watched({ signed: 'require' })
    const sent = signed()
    await send(sent)
    expect(await send({ ...sent, body: 'another' })).toBe('unauthenticated proof-replayed')
  })
})

describe('the content of a signed request', () => {
  it.each(['accept', 'require'] as const)('%s: is compared, and the nonce stays spent', async (policy) => {
    const { scheme, send } = watched({ signed: policy })
    const sent = signed()
    const { request, seen } = received({ ...sent, body: 'another' }, { early: true })
    expect(shown(await scheme.authenticate(request))).toBe('unauthenticated proof-digest')
    expect(seen.asked).toEqual(['expect'])
    expect(await send(sent)).toBe('unauthenticated proof-replayed')
  })

  it('is refused with the answer of every other refusal when it turns out to be another one', async () => {
    const { scheme } = watched({ signed: 'require' })
    const { request, seen, arrive } = received({ ...signed(), body: 'another' })
    expect(shown(await scheme.authenticate(request))).toBe('alice signed')
    arrive()
    const { refusal } = await scheme.authenticate(requestWith(headersOf('alice', someInstant)))
    expect(seen.refusal).toEqual({ ...refusal, reason: 'proof-digest' })
  })

  it('is not hashed where it does not matter', async () => {
    const asked = async (policy: (typeof policies)[number], sent: Sent) => {
      const { request, seen } = received(sent)
      await watched({ signed: policy }).scheme.authenticate(request)
      return seen.asked
    }
    expect(await asked('off', signed())).toEqual(['ignore'])
    expect(await asked('observe', signed())).toEqual(['observe'])
    expect(await asked('observe', wrongMac())).toEqual(['ignore'])
    expect(await asked('observe', signed({ code: '000000' }))).toEqual(['ignore'])
    expect(await asked('accept', stripped(signed()))).toEqual(['ignore'])
    expect(await asked('accept', wrongMac())).toEqual(['ignore'])
    expect(await asked('accept', signed())).toEqual(['expect'])
  })

  it('of a peer whose policy is off is not looked at beside a peer whose policy is not', async () => {
    const { scheme } = watched({
      peerSeeds: {
        alice: { seeds: [{ seed: peers.alice.seed }], signed: 'off' },
        bob: { seeds: [{ seed: peers.bob.seed }], signed: 'require' },
      },
    })
    const { request, seen } = received(signed())
    expect(shown(await scheme.authenticate(request))).toBe('alice code')
    expect(seen.asked).toEqual(['ignore'])
  })

  it.each(['GET', 'HEAD', 'DELETE'])('of %s is empty where nobody passes it on', async (method) => {
    const { scheme } = watched({ signed: 'require' })
    const ask = async (body: string) => {
      return shown(await scheme.authenticate(unseen(received(signed({ method, body })).request)))
    }
    expect(await ask('')).toBe('alice signed')
    expect(await ask('x')).toBe('unauthenticated proof-digest')
  })

  it.each([
    ['http', 'POST'],
    ['grpc', 'POST'],
    ['grpc', 'GET'],
  ] as const)('of %s %s that nobody can compare is refused with 503', async (binding, method) => {
    const { scheme, asked } = watched({ signed: 'accept' })
    const sent = signed({ method, binding, body: '' })
    const { refusal } = await scheme.authenticate(unseen(received(sent).request))
    expect(refusal).toMatchObject({ kind: 'unavailable', failure: { cause: 'content-unseen' } })
    expect(asked).toHaveLength(0)
  })

  it.each([true, 'yes', 1, null])(
    'counts %j of a view in plain JavaScript as a yes only if it is true',
    async (answer) => {
      const { scheme } = watched({ signed: 'accept' })
      const { request } = received(signed())
      const body = { expectDigest: () => answer as true }
      expect(shown(await scheme.authenticate({ ...request, body }))).toBe(
        answer === true ? 'alice signed' : 'unauthenticated proof-digest',
      )
    },
  )
})

describe('a seed that peers share under once', () => {
  const shared = (policy: (typeof policies)[number]) => () =>
    new TOTPServerAuthScheme({
      tokenToPeer: { [peers.alice.token]: 'alice', [peers.bob.token]: 'bob' },
      sharedSeed: peers.alice.seed,
      ...signedOptions(policy, 'once'),
    })

  it.each(['off', 'observe', 'accept'] as const)('is refused at the start under %s', (policy) => {
    expect(shared(policy)).toThrow(/signed "require"/)
  })

  it('works under require: each request has a nonce of its own', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, {
      ...signedOptions('require', 'once'),
      peerSeeds: { alice: peers.alice.seed, bob: peers.alice.seed },
    })
    const bobs = { token: peers.bob.token }
    const outcomes: string[] = []
    for (const call of [{}, bobs, {}, bobs])
      outcomes.push(shown(await scheme.authenticate(received(signed(call), { early: true }).request)))
    expect(outcomes).toEqual(['alice signed', 'bob signed', 'alice signed', 'bob signed'])
  })
})
