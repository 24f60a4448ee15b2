import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { memoryState, type AuthEvent, type State } from '../../src/server/index.js'
import type { PeerSeedsOptions } from '../../src/server/scheme/options.js'
import { RefusedProofs, type RefusedProof } from '../../src/server/scheme/refused-proofs.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import {
  Clock,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import { received, signed, signedOptions, stripped, unseen, type Sent } from '../support/signed.js'

const [home, away] = ['192.0.2.1', '198.51.100.7']
const otherPath = (): Sent => ({ ...signed(), target: '/other' })

function watched(policy: 'off' | 'observe' | 'accept' | 'require', given: Partial<PeerSeedsOptions> = {}) {
  const clock = new Clock()
  const { scheme, events } = schemeFor(clock, { ...signedOptions(policy), ...given })
  return {
    clock,
    scheme,
    events,
    send: async (sent: Sent, source = home) => {
      const { request, arrive } = received(sent, { source })
      const outcome = await scheme.authenticate(request)
      arrive()
      await new Promise(setImmediate)
      return outcome
    },
    anomalies: () => events.filter(({ type }) => type === 'code_from_two_sources'),
  }
}

/** What events say of proofs. */
const shown = (events: readonly AuthEvent[]) =>
  events.map((event) => {
    const { proof, proofReason, reason, count } = event as unknown as Record<string, unknown>
    const said = { proof, proofReason, reason, count }
    return [event.type, Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))]
  })

describe('what an event reports of a proof', () => {
  const missing = stripped(signed())

  it.each(['authenticated', 'refused'])('is nothing under off: %s', async (type) => {
    const { send, events } = watched('off')
    await send(type === 'refused' ? signed({ code: '000000' }) : signed())
    expect(events).toMatchObject([{ type }])
    expect(events[0]).not.toHaveProperty('proof')
  })

  it('is under observe whether it is valid, and why not, whatever becomes of the request', async () => {
    const { send, events } = watched('observe')
    for (const sent of [signed(), otherPath(), missing, signed({ code: wrongCodeOf(someInstant) })])
      await send(sent)
    expect(shown(events)).toEqual([
      ['authenticated', { proof: 'valid' }],
      ['authenticated', { proof: 'invalid', proofReason: 'proof-mac' }],
      ['authenticated', { proof: 'absent' }],
      ['refused', { proof: 'valid', reason: 'code-wrong' }],
    ])
    expect(events[0]).not.toHaveProperty('proofReason')
  })

  it('is under observe also that the content is another one', async () => {
    const { send, events } = watched('observe')
    expect((await send({ ...signed(), body: 'another' })).caller?.proof).toBe('code')
    expect(events).toEqual([
      expect.objectContaining({ type: 'authenticated', proof: 'valid' }),
      {
        type: 'proof_observed',
        at: someInstant,
        binding: 'http',
        source: home,
        peer: 'alice',
        proof: 'invalid',
        proofReason: 'proof-digest',
      },
    ])
  })

  it('is under observe also that nobody can compare the content, and what to do', async () => {
    const { scheme, events } = watched('observe')
    const { caller } = await scheme.authenticate(unseen(received(signed()).request))
    expect(caller?.proof).toBe('code')
    expect(shown(events)).toEqual([
      ['authenticated', { proof: 'valid' }],
      ['proof_observed', { proof: 'invalid', proofReason: 'content-unseen' }],
    ])
    expect(events[1]).toMatchObject({ advice: expect.stringContaining('mount the guard') as string })
  })

  it.each(['accept', 'require'] as const)('is under %s why it was refused', async (policy) => {
    const { send, events, clock } = watched(policy)
    const sent = signed()
    const later = (): void => clock.advance(1)
    for (const one of [sent, sent, otherPath(), { ...signed(), body: 'another' }]) {
      await send(one)
      later()
    }
    const invalid = (reason: string) => ({ proof: 'invalid', proofReason: reason, reason, count: 1 })
    expect(shown(events)).toEqual([
      ['authenticated', { proof: 'valid' }],
      ['replayed', invalid('proof-replayed')],
      ['refused', invalid('proof-mac')],
      ['authenticated', { proof: 'valid' }],
      ['refused', invalid('proof-digest')],
    ])
  })

  it('is that the content is another one, where that is known before the handler starts', async () => {
    const { scheme, events } = watched('accept')
    await scheme.authenticate(received({ ...signed(), body: 'another' }, { early: true }).request)
    expect(shown(events)).toEqual([
      ['refused', { proof: 'invalid', proofReason: 'proof-digest', reason: 'proof-digest', count: 1 }],
    ])
  })

  it('is under require that there is none', async () => {
    const { send, events } = watched('require')
    await send(missing)
    expect(shown(events)).toEqual([['refused', { proof: 'absent', reason: 'proof-missing', count: 1 }]])
  })

  it('is nothing where the token is nobody’s', async () => {
    const { send, events } = watched('require')
    await send(signed({ token: 'nobody' }))
    await send(stripped(signed({ token: 'nobody' })))
    expect(events).toMatchObject([{ reason: 'token-refused' }, { reason: 'token-refused' }])
    for (const event of events) expect(event).not.toHaveProperty('proof')
  })

  it('contains no field of the proof', async () => {
    const { send, events, clock } = watched('accept')
    const sent = signed({ nonce: 'a nonce to find!' })
    const forged = otherPath()
    for (const one of [sent, sent, forged]) {
      await send(one)
      clock.advance(2)
    }
    const log = JSON.stringify(events)
    const parts = [sent, forged]
      .flatMap(({ fields }) => Object.values(fields))
      .flatMap((value) => value.split(/[;,]/))
    for (const part of parts.filter((one) => one.length > 16)) expect(log).not.toContain(part)
    expect(log).not.toContain(Buffer.from('a nonce to find!').toString('base64url'))
  })
})

describe('events of refused proofs', () => {
  const countsOf = (events: readonly AuthEvent[]): number[] =>
    events.flatMap((event) => ('count' in event ? [event.count ?? 0] : []))

  it('are at most one a second and peer, and their counts add up to the refusals', async () => {
    const { send, events, clock, scheme } = watched('accept')
    onTestFinished(() => scheme.close())
    let refused = 0
    for (let tenth = 0; tenth < 50; tenth++) {
      for (let n = 0; n < 10; n++) {
        await send(otherPath())
        refused++
      }
      clock.advance(0.1)
    }
    scheme.close()
    const counts = countsOf(events)
    expect(counts[0]).toBe(1)
    expect(counts.reduce((sum, one) => sum + one)).toBe(refused)
    // One at once, one in each of the five seconds, and what was held back at the end.
    expect(counts.length).toBeLessThanOrEqual(7)
  })

  it('say a second later how many there were, also if there are no more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { send, events } = watched('require')
    for (const sent of [otherPath(), otherPath(), stripped(signed())]) await send(sent)
    vi.advanceTimersByTime(999)
    expect(countsOf(events)).toEqual([1])
    vi.advanceTimersByTime(1)
    expect(countsOf(events)).toEqual([1, 2])
    expect(events[1]).toMatchObject({ reason: 'proof-missing', proof: 'absent', peer: 'alice' })
    await send(otherPath())
    expect(countsOf(events)).toEqual([1, 2])
    vi.advanceTimersByTime(1000)
    expect(countsOf(events)).toEqual([1, 2, 1])
  })

  it('of one peer hold back none of another', async () => {
    const { send, events, scheme } = watched('accept')
    onTestFinished(() => scheme.close())
    for (const peer of ['alice', 'bob', 'alice', 'bob'] as const)
      await send({ ...signed({ peer }), target: '/other' })
    expect(events).toMatchObject([
      { peer: 'alice', count: 1 },
      { peer: 'bob', count: 1 },
    ])
  })

  it('hold back nothing else', async () => {
    const { send, events, scheme } = watched('accept')
    onTestFinished(() => scheme.close())
    for (let n = 0; n < 3; n++) {
      await send(signed())
      await send(signed({ code: wrongCodeOf(someInstant) }))
      await send(signed({ token: 'nobody' }))
    }
    expect(events).toHaveLength(9)
    expect(countsOf(events)).toEqual([])
  })

  it('are bounded in number of peers, and none is lost', () => {
    const emitted: RefusedProof[] = []
    const now = (): Date => someInstant
    const held = new RefusedProofs((event) => emitted.push(event), now)
    const refusal = (peer: string): RefusedProof => ({
      type: 'refused',
      at: someInstant,
      binding: 'http',
      reason: 'proof-mac',
      peer,
    })
    const total = 3000
    for (let n = 0; n < total; n++) for (let twice = 0; twice < 2; twice++) held.add(refusal(`peer ${n}`))
    // The first of each, and the second of those that there was no room for.
    expect(emitted).toHaveLength(total + total - 1000)
    held.close()
    expect(emitted.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(2 * total)
  })
})

describe('code_from_two_sources', () => {
  it('is no event of signed requests that share a code, from wherever they come', async () => {
    const { send, anomalies } = watched('accept', { replay: 'once' })
    for (const source of [home, away, home]) await send(signed(), source)
    await send(stripped(signed()), away)
    expect(anomalies()).toEqual([])
  })

  it('is still one of a plain code that arrives again from elsewhere', async () => {
    const { send, anomalies } = watched('accept', { replay: 'once' })
    await send(stripped(signed()), home)
    await send(stripped(signed()), away)
    expect(anomalies()).toMatchObject([{ peer: 'alice', sources: [home, away] }])
  })

  it.each(['reuse', 'once'] as const)(
    'is one of a proof that arrives again from elsewhere, once: %s',
    async (replay) => {
      const { send, anomalies } = watched('accept', { replay })
      const sent = signed()
      for (const source of [home, home, `::ffff:${home}`, away, away]) await send(sent, source)
      expect(anomalies()).toEqual([
        {
          type: 'code_from_two_sources',
          at: someInstant,
          binding: 'http',
          source: away,
          peer: 'alice',
          seedId: 'seed-1',
          sources: [home, away],
        },
      ])
    },
  )

  it('is one of each such proof', async () => {
    const { send, anomalies } = watched('accept')
    const both = [signed(), signed()]
    for (const source of [home, away]) for (const sent of both) await send(sent, source)
    expect(anomalies()).toHaveLength(2)
  })

  it('tells proofs whose body nobody compares from codes, too', async () => {
    const { scheme, anomalies } = watched('accept', { replay: 'once' })
    const send = async (sent: Sent, source: string): Promise<unknown> => {
      const { request } = received(sent, { source })
      const { caller } = await scheme.authenticate({ ...request, body: 'unchecked' })
      await new Promise(setImmediate)
      return caller?.proof
    }
    const sent = signed()
    expect(await send(sent, home)).toBe('signed-head')
    // Plain, with the code of the signed request.
    await send(stripped(signed()), away)
    expect(anomalies()).toEqual([])
    await send(sent, away)
    expect(anomalies()).toMatchObject([{ peer: 'alice', sources: [home, away] }])
  })

  it('is no event where nobody can tell whether a proof was spent', async () => {
    const { state = memoryState() } = signedOptions('accept')
    let isDown = false
    const decide: State['decide'] = (attempt) => {
      if (isDown) throw new Error('down')
      return state.decide(attempt)
    }
    const { send, anomalies } = watched('accept', { state: { supports: state.supports, decide } })
    const sent = signed()
    await send(sent, home)
    isDown = true
    expect((await send(sent, away)).refusal?.reason).toBe('guard-failed')
    expect(anomalies()).toEqual([])
    isDown = false
    await send(sent, away)
    expect(anomalies()).toMatchObject([{ sources: [home, away] }])
  })

  it('is no event of a proof that was never accepted', async () => {
    const { send, anomalies } = watched('accept')
    const sent = signed({ code: wrongCodeOf(someInstant) })
    await send(sent, home)
    await send(sent, away)
    expect(anomalies()).toEqual([])
  })
})

describe('without a listener', () => {
  async function warnings(
    options: Partial<PeerSeedsOptions>,
    run: (scheme: TOTPServerAuthScheme) => Promise<void>,
  ) {
    const emitted: unknown[] = []
    const spy = vi.spyOn(process, 'emitWarning').mockImplementation((...given: unknown[]) => {
      emitted.push(given)
    })
    onTestFinished(() => spy.mockRestore())
    const scheme = new TOTPServerAuthScheme({
      tokenToPeer: { [peers.alice.token]: 'alice' },
      peerSeeds: { alice: peers.alice.seed },
      now: () => someInstant,
      ...signedOptions('accept'),
      ...options,
    })
    await run(scheme)
    await new Promise(setImmediate)
    scheme.close()
    return emitted
  }

  it('a refused, replayed or observed proof wakes nobody', async () => {
    const emitted = await warnings({}, async (scheme) => {
      const sent = signed()
      for (const one of [sent, sent, otherPath(), { ...signed(), body: 'x' }]) {
        const { request, arrive } = received(one)
        await scheme.authenticate(request)
        arrive()
      }
    })
    expect(emitted).toEqual([])
  })

  it('a proof that arrives from a second source does', async () => {
    const emitted = await warnings({}, async (scheme) => {
      const sent = signed()
      for (const source of [home, away]) await scheme.authenticate(received(sent, { source }).request)
    })
    expect(emitted).toMatchObject([[expect.stringContaining('"alice"'), { code: 'code_from_two_sources' }]])
  })

  it('nonces without room do, and content that nobody can compare', async () => {
    const state = {
      supports: { once: true, proofs: true },
      decide: () => ({ kind: 'full', retryAfter: 7 }) as const,
    }
    const emitted = await warnings({ state }, async (scheme) => {
      const full = await scheme.authenticate(received(signed()).request)
      expect(full.refusal).toMatchObject({ kind: 'unavailable', reason: 'nonces-full', retryAfter: 7 })
      await scheme.authenticate(unseen(received(signed()).request))
    })
    expect(emitted).toMatchObject([
      [expect.stringMatching(/answered 503, because no more nonces/), { code: 'nonces-full' }],
      [expect.stringMatching(/content cannot be compared .*mount the guard/), { code: 'guard-failed' }],
    ])
  })
})

it('a text from outside is printable in the events of refused proofs', async () => {
  const { scheme, events } = watched('require')
  await scheme.authenticate(requestWith(headersOf('alice', someInstant), '\u001b[31m\u202e'))
  expect(events).toMatchObject([
    { reason: 'proof-missing', source: expect.not.stringContaining('\u001b') as string },
  ])
})
