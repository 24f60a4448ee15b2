import fc from 'fast-check'
import { HOTP } from 'otpauth'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { memoryState } from '../../src/state/memory-state.js'
import { lateCodeMs, type State } from '../../src/state/state.js'
import type { AuthEvent } from '../../src/server/scheme/events.js'
import { LateCodes } from '../../src/server/scheme/late-codes.js'
import type { SchemePeer } from '../../src/server/scheme/peers.js'
import { computeEachCodeOnce } from '../support/codes-once.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  secondLooks,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'

const late = (clock: Clock, drift: number): ReturnType<typeof requestWith> =>
  requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': codeOf('alice', clock.at, { drift }) })
const typesOf = (events: readonly AuthEvent[]): string[] => events.map(({ type }) => type)

describe('a code of a live seed outside of the window', () => {
  it.each([-4, -20, 4, 20])(
    'of a clock that is %i steps off, once a step: no alarm, no lock-out, and service once it is right',
    async (drift) => {
      computeEachCodeOnce()
      const clock = new Clock()
      // Whatever stays counted adds up: the first code ahead, and hardly anything else.
      const throttle = { risk: 1, budgets: [{ limit: 3, seconds: 24 * 3600 }] }
      const { scheme, events } = schemeFor(clock, { throttle })
      const steps = 240
      for (let step = 0; step < steps; step++) {
        expect((await scheme.authenticate(late(clock, drift))).refusal?.reason).toBe('code-wrong')
        await secondLooks()
        clock.advance(30)
      }
      const { caller } = await scheme.authenticate(requestWith(headersOf('alice', clock.at)))
      expect(caller?.peer).toBe('alice')
      const types = typesOf(events)
      expect(new Set(types)).toEqual(new Set(['refused', 'code_stale', 'authenticated']))
      expect(types.filter((type) => type === 'code_stale')).toHaveLength(steps)
    },
  )

  it('is reported with its drift, after the refusal and after the answer', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock)
    await scheme.authenticate(late(clock, -4))
    expect(typesOf(events)).toEqual(['refused'])
    await secondLooks()
    expect(events[1]).toEqual({
      type: 'code_stale',
      at: someInstant,
      binding: 'http',
      source: '192.0.2.1',
      peer: 'alice',
      seedId: 'seed-1',
      timeStep: 60_000_000 - 4,
      drift: -4,
    })
  })

  it.each([
    [-41, 1],
    [-42, 0],
    [41, 1],
    [42, 0],
  ])('is recognised for 20 minutes beyond the window: %i steps off', async (drift, seen) => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock)
    await scheme.authenticate(late(clock, drift))
    await secondLooks()
    expect(typesOf(events).filter((type) => type === 'code_stale')).toHaveLength(seen)
  })

  it("is recognised by the peer's own period and digits", async () => {
    const clock = new Clock()
    const profile = { ...defaultProfile, digits: 8, period: 60 } as const
    const { scheme, events } = schemeFor(clock, {
      peerSeeds: { alice: { seeds: [{ id: 'own', seed: peers.alice.seed }], digits: 8, period: 60 } },
    })
    for (const drift of [-21, -22]) {
      const code = codeOf('alice', clock.at, { drift, profile })
      await scheme.authenticate(requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': code }))
    }
    await secondLooks()
    expect(events.flatMap((event) => (event.type === 'code_stale' ? [event.drift] : []))).toEqual([-21])
  })

  it('costs no code on the way to the answer', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock)
    await scheme.authenticate(late(clock, -4))
    await secondLooks()
    const generate = vi.spyOn(HOTP, 'generate')
    onTestFinished(() => {
      generate.mockRestore()
    })
    for (const request of [late(clock, -5), late(clock, 5)]) {
      const codes = generate.mock.calls.length
      await scheme.authenticate(request)
      expect(generate.mock.calls.length).toBe(codes)
      await secondLooks()
      expect(generate.mock.calls.length).toBe(codes + 80)
    }
  })

  const peer = { profile: defaultProfile, seeds: [{ id: 'seed-1', seed: peers.alice.seed }] } as unknown
  /** What a search finds, and how many codes it computes in each of its turns. */
  function searched(codes: LateCodes, code: string, at: Date) {
    const generate = vi.spyOn(HOTP, 'generate')
    const search = codes.search(peer as SchemePeer, code, at)
    const turns: number[] = []
    for (;;) {
      generate.mockClear()
      const { done, value } = search.next()
      turns.push(generate.mock.calls.length)
      if (!done) continue
      generate.mockRestore()
      return { found: value, turns }
    }
  }

  it('is searched for ten codes at a time, so that requests are served in between, and each is computed once', () => {
    const codes = new LateCodes()
    const search = () => searched(codes, wrongCodeOf(someInstant), someInstant)
    expect(search()).toEqual({ found: undefined, turns: Array.from({ length: 8 }, () => 10) })
    expect(search()).toEqual({ found: undefined, turns: [0] })
  })

  it('may be of the first step of all, and of none before it', () => {
    const at = new Date(3 * 30_000)
    const { found, turns } = searched(new LateCodes(), codeOf('alice', at, { drift: -3 }), at)
    expect(found).toEqual({ seedId: 'seed-1', timeStep: 0, drift: -3 })
    // Two behind the window, and 40 ahead of it.
    expect(turns.reduce((sum, one) => sum + one)).toBe(42)
  })

  it('is looked at once in its time step, however often it is sent', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock)
    for (let n = 0; n < 20; n++) {
      await scheme.authenticate(late(clock, -4))
      await secondLooks()
    }
    expect(typesOf(events).filter((type) => type === 'code_stale')).toHaveLength(1)
  })

  it('of an expired seed, or of another peer, is a guess', async () => {
    const clock = new Clock()
    const expiresAt = new Date(clock.at.getTime() - 1)
    const { scheme, events } = schemeFor(clock, {
      peerSeeds: {
        alice: { seeds: [{ seed: peers.bob.seed }, { seed: peers.alice.seed, expiresAt }] },
        bob: peers.bob.seed,
      },
    })
    await scheme.authenticate(late(clock, -4))
    await secondLooks()
    expect(typesOf(events)).toEqual(['refused'])
  })

  it('that would exhaust the budget is looked at before anyone is suspected', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock)
    const wrong = (which: number): ReturnType<typeof requestWith> =>
      requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': wrongCodeOf(clock.at, which) })
    for (let n = 0; n < 4; n++) await scheme.authenticate(wrong(n))
    await scheme.authenticate(late(clock, -4))
    await secondLooks()
    expect(typesOf(events)).not.toContain('token_compromise_suspected')
    expect((await scheme.authenticate(requestWith(headersOf('alice', clock.at)))).caller).toBeDefined()
    await scheme.authenticate(wrong(5))
    await secondLooks()
    expect(typesOf(events).filter((type) => type === 'token_compromise_suspected')).toHaveLength(1)
  })

  it('counts where the state cannot take it back, or fails', async () => {
    const memory = memoryState({ since: new Date(0) })
    const states: State[] = [
      { supports: { once: true }, decide: (attempt) => memory.decide(attempt) },
      { ...memory, takeBack: () => Promise.reject(new Error('lost')) },
    ]
    for (const state of states) {
      const clock = new Clock()
      const { scheme, events } = schemeFor(clock, {
        state,
        throttle: { budgets: [{ limit: 1, seconds: 30 }], risk: 1 },
      })
      clock.advance(3600 * states.indexOf(state))
      await scheme.authenticate(late(clock, -4))
      await secondLooks()
      expect(typesOf(events)).toEqual(['refused', 'code_stale', 'token_compromise_suspected'])
    }
  })
})

describe('a guesser who holds a token', () => {
  /** By the model: of 10^digits codes, so many match in the window, behind and ahead of it. */
  const shares = (digits: number, period: number, window: number): { hit: number; behind: number } => ({
    hit: (2 * window + 1) / 10 ** digits,
    behind: Math.floor(lateCodeMs / 1000 / period) / 10 ** digits,
  })

  it('has within 1 % the chance that he had if late codes counted, by the model', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(6, 7, 8),
        fc.integer({ min: 10, max: 120 }),
        fc.integer({ min: 0, max: 2 }),
        (digits, period, window) => {
          const { hit, behind } = shares(digits, period, window)
          const limit = Math.floor((1.5e-4 / hit) * (1 + 1e-9))
          // Each guess is given back with the chance of a past code; only then is there another one in its place. A code
          // ahead is given back only after another one of the same clock, which is a chance of that chance.
          const given = behind + 3 * (behind * limit) * (1 / 10 ** digits)
          const guesses = limit / (1 - given)
          const chance = (count: number): number => 1 - (1 - hit) ** count
          expect(chance(guesses) / chance(limit)).toBeLessThan(1.01)
        },
      ),
    )
  })

  it('gets back his hits on past codes, and none on a code to come', async () => {
    for (let distance = 2; distance <= 41; distance++) {
      for (const drift of [-distance, distance]) {
        const clock = new Clock()
        const { scheme, events } = schemeFor(clock)
        for (let n = 0; n < 4; n++) {
          const fields = { Authorization: bearerOf('alice'), 'X-TOTP': wrongCodeOf(clock.at, n) }
          await scheme.authenticate(requestWith(fields))
        }
        await scheme.authenticate(late(clock, drift))
        await secondLooks()
        const suspected = typesOf(events).includes('token_compromise_suspected')
        expect([drift, suspected]).toEqual([drift, drift > 0])
      }
    }
  })
})
