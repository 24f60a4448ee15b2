import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { timeStepAt } from '../../src/core/totp.js'
import { memoryState, type PeerSeedsOptions } from '../../src/server/index.js'
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

const periodMs = defaultProfile.period * 1000
const anomalies: readonly string[] = ['code_from_two_sources', 'clock_jumped']

function watched(given: Partial<PeerSeedsOptions> = {}) {
  const clock = new Clock()
  const { scheme, events } = schemeFor(clock, given)
  const send = async (peer: PeerName, code: string, source?: string) => {
    const outcome = await scheme.authenticate(
      requestWith({ Authorization: bearerOf(peer), 'X-TOTP': code }, source),
    )
    await turn()
    return outcome
  }
  return {
    clock,
    /** A code as a clock makes it that is ahead of ours by so many seconds. */
    sendAhead: (seconds: number, peer: PeerName = 'alice', source?: string) =>
      send(peer, codeOf(peer, new Date(clock.at.getTime() + seconds * 1000)), source),
    send,
    found: () => events.filter(({ type }) => anomalies.includes(type)),
  }
}

describe('code_from_two_sources', () => {
  const [home, away] = ['192.0.2.1', '198.51.100.7']

  it('reports under once that an accepted code arrived again from elsewhere, once', async () => {
    const { clock, send, found } = watched({ replay: 'once' })
    const code = codeOf('alice', clock.at)
    expect((await send('alice', code, home)).caller?.peer).toBe('alice')
    expect((await send('alice', code, away)).refusal?.reason).toBe('code-replayed')
    await send('alice', code, away)
    expect(found()).toEqual([
      {
        type: 'code_from_two_sources',
        at: clock.at,
        binding: 'http',
        source: away,
        peer: 'alice',
        seedId: 'seed-1',
        sources: [home, away],
      },
    ])
  })

  it('recognises a code that was captured before the newest one', async () => {
    const { clock, send, found } = watched({ replay: 'once' })
    const captured = codeOf('alice', clock.at)
    await send('alice', captured, home)
    clock.advance(30)
    await send('alice', codeOf('alice', clock.at), home)
    await send('alice', captured, away)
    expect(found()).toMatchObject([{ sources: [home, away] }])
  })

  it.each<[string, string | undefined, string | undefined]>([
    ['the same source', home, home],
    ['the same address over IPv6', home, `::ffff:${home}`],
  ])('is silent about a repetition from %s', async (_, first, second) => {
    const { clock, send, found } = watched({ replay: 'once' })
    await send('alice', codeOf('alice', clock.at), first)
    await send('alice', codeOf('alice', clock.at), second)
    expect(found()).toEqual([])
  })

  it('is silent about a repetition whose source nobody knows', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock, { replay: 'once' })
    const request = requestWith(
      { Authorization: bearerOf('alice'), 'X-TOTP': codeOf('alice', clock.at) },
      home,
    )
    for (const source of [home, undefined]) await scheme.authenticate({ ...request, source })
    await turn()
    expect(events.map(({ type }) => type)).toEqual(['authenticated', 'replayed'])
  })

  it('tells two seeds of a peer apart', async () => {
    const seeds = [
      { id: 'old', seed: peers.alice.seed },
      { id: 'new', seed: peers.bob.seed },
    ]
    const { clock, send, found } = watched({ replay: 'once', peerSeeds: { alice: { seeds } } })
    await send('alice', codeOf('alice', clock.at), home)
    // The second machine has a seed of its own, and repeats its own code.
    for (const seed of ['bob', 'bob'] as const) await send('alice', codeOf(seed, clock.at), away)
    expect(found()).toEqual([])
    await send('alice', codeOf('bob', clock.at), home)
    expect(found()).toMatchObject([{ seedId: 'new', sources: [away, home] }])
  })

  it('is silent about a code that was skipped and never accepted', async () => {
    const { clock, send, found } = watched({ replay: 'once' })
    await send('alice', codeOf('alice', clock.at, { drift: 1 }), home)
    expect((await send('alice', codeOf('alice', clock.at), away)).refusal?.reason).toBe('code-replayed')
    expect(found()).toEqual([])
  })

  it('is silent without sources', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock, { replay: 'once' })
    const fields = { Authorization: bearerOf('alice'), 'X-TOTP': codeOf('alice', clock.at) }
    const unknown = { ...requestWith(fields), source: undefined }
    for (const request of [unknown, requestWith(fields), unknown]) await scheme.authenticate(request)
    await turn()
    expect(events.map(({ type }) => type)).toEqual(['authenticated', 'replayed', 'replayed'])
  })

  it('is silent under reuse, where a code may come from several places', async () => {
    const { clock, send, found } = watched()
    for (const source of [home, away]) await send('alice', codeOf('alice', clock.at), source)
    expect(found()).toEqual([])
  })
})

describe('clock_jumped', () => {
  it('reports that two clocks use one seed, once an hour', async () => {
    const { clock, sendAhead, found } = watched()
    await sendAhead(-30)
    await sendAhead(30)
    expect(found()).toEqual([
      {
        type: 'clock_jumped',
        at: clock.at,
        binding: 'http',
        source: '192.0.2.1',
        peer: 'alice',
        seedId: 'seed-1',
        drifts: [-1, 1],
      },
    ])
    for (let minute = 0; minute < 58; minute++) {
      clock.advance(60)
      await sendAhead(minute % 2 === 0 ? -30 : 30)
    }
    expect(found()).toHaveLength(1)
    clock.advance(120)
    await sendAhead(-30)
    await sendAhead(30)
    expect(found()).toHaveLength(2)
  })

  it('reports it also if the one that is ahead comes first, and for each peer apart', async () => {
    const { sendAhead, found } = watched({ replay: 'reuse' })
    await sendAhead(30, 'bob')
    await sendAhead(-30, 'alice')
    expect(found()).toEqual([])
    await sendAhead(-30, 'bob')
    expect(found()).toMatchObject([{ peer: 'bob', drifts: [1, -1] }])
  })

  it.each([
    [600, 1],
    [600.001, 0],
    [-600, 1],
    [-600.001, 0],
  ])('compares codes of ten minutes, since clocks drift and are set: %d s apart', async (apart, reports) => {
    const { clock, sendAhead, found } = watched()
    // At the end of a time step, so that the codes could be those of two clocks at any of these distances.
    clock.advance(14.999)
    await sendAhead(-30)
    clock.advance(apart)
    await sendAhead(30)
    expect(found()).toHaveLength(reports)
  })

  it('is silent about two seeds of a peer, which may be on two machines', async () => {
    const seeds = [
      { id: 'old', seed: peers.alice.seed },
      { id: 'new', seed: peers.bob.seed },
    ]
    const { clock, send, found } = watched({ peerSeeds: { alice: { seeds } } })
    await send('alice', codeOf('alice', clock.at, { drift: -1 }))
    await send('alice', codeOf('bob', clock.at, { drift: 1 }))
    expect(found()).toEqual([])
  })

  it('is silent about drifts that differ by two steps because a request was slow', async () => {
    const { clock, send, found } = watched()
    const step = timeStepAt(defaultProfile, clock.at)
    // The peer is 0.2 s ahead. Its first request arrives at the end of a step, its second a second late in another.
    clock.at = new Date((step + 1) * periodMs - 100)
    expect((await send('alice', codeOf('alice', clock.at, { drift: 1 }))).caller?.drift).toBe(1)
    clock.at = new Date((step + 2) * periodMs + 750)
    expect((await send('alice', codeOf('alice', clock.at, { drift: -1 }))).caller?.drift).toBe(-1)
    expect(found()).toEqual([])
  })

  const second = fc.integer({ min: 0, max: 1000 }).map((ms) => ms / 1000)

  it('never reports one clock, however it is set, how long requests take and how long codes are kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: -45, max: 45, noNaN: true }),
        fc.array(fc.record({ wait: fc.integer({ min: 0, max: 45 }), fraction: second, slow: second }), {
          minLength: 2,
          maxLength: 30,
        }),
        async (ahead, requests) => {
          const { clock, send, found } = watched()
          let kept: { step: number; code: string } | undefined
          for (const { wait, fraction, slow } of requests) {
            clock.advance(wait + fraction)
            const theirs = new Date(clock.at.getTime() + ahead * 1000)
            const step = timeStepAt(defaultProfile, theirs)
            // The client makes a code once a step, and its request takes up to a second.
            if (kept?.step !== step) kept = { step, code: codeOf('alice', theirs) }
            clock.advance(slow)
            await send('alice', kept.code)
          }
          expect(found()).toEqual([])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('reports two clocks that are more than two periods apart at the second request, whatever the instant', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 29_999 }), async (phase) => {
        const { clock, send, found } = watched()
        clock.at = new Date(Math.floor(someInstant.getTime() / periodMs) * periodMs + phase)
        await send('alice', codeOf('alice', clock.at, { drift: -1 }))
        await send('alice', codeOf('alice', clock.at, { drift: 1 }))
        expect(found()).toHaveLength(1)
      }),
      { numRuns: 50 },
    )
  })
})

describe('anomalies', () => {
  it('are never caused without the seed: not by wrong codes, unknown tokens or malformed requests', async () => {
    const guess = fc.record({
      fields: fc.record(
        {
          Authorization: fc.constantFrom(bearerOf('alice'), bearerOf('bob'), 'Bearer a2at_nobodys', 'x'),
          'X-TOTP': fc.oneof(
            fc.integer({ min: 0, max: 900 }).map((which) => wrongCodeOf(someInstant, which % 40)),
            fc.constantFrom('', '1', 'abcdef'),
          ),
        },
        { requiredKeys: [] },
      ),
      source: fc.constantFrom('192.0.2.1', '198.51.100.7', '2001:db8::1'),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('once' as const, 'reuse' as const),
        fc.array(guess, { maxLength: 20 }),
        async (replay, guesses) => {
          const clock = new Clock()
          const { scheme, events } = schemeFor(clock, { replay })
          // One right request of the peer, in between.
          const right = { Authorization: bearerOf('alice'), 'X-TOTP': codeOf('alice', clock.at) }
          const requests = guesses.map(({ fields, source }) => requestWith(fields, source))
          for (const request of [...requests, requestWith(right), ...requests])
            await scheme.authenticate(request)
          await turn()
          expect(events.filter(({ type }) => anomalies.includes(type))).toEqual([])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('see replays of a state that is shared and slow', async () => {
    const memory = memoryState({ since: new Date(0) })
    const state = {
      supports: memory.supports,
      decide: async (...args: Parameters<typeof memory.decide>) => {
        await turn()
        return memory.decide(...args)
      },
    }
    const { clock, send, found } = watched({ replay: 'once', state })
    const code = codeOf('alice', clock.at)
    await send('alice', code, '192.0.2.1')
    await send('alice', code, '198.51.100.7')
    expect(found()).toHaveLength(1)
  })
})
