import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memoryState, type MemoryState, type MemoryStateOptions } from '../../src/state/memory-state.js'
import type { Attempt } from '../../src/state/state.js'
import { failureOf } from '../support/failure.js'
import { inStep, period, rightCode, secondOf, signed, someStep } from './attempts.js'

/** A bucket's nonces are over when its last one is: two periods of life, and half of that for the bucket. */
const overMs = 3 * period * 1000 + 1000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets real time pass, without the scheme's clock. */
const passes = (ms: number): void => void vi.advanceTimersByTime(ms)
const later = (attempt: Attempt, ms: number): Attempt => ({
  ...attempt,
  at: new Date(attempt.at.getTime() + ms),
})
const stateWith = (options: MemoryStateOptions = {}): MemoryState =>
  memoryState({ since: new Date(0), ...options })
const kindsOf = (state: MemoryState, attempts: readonly Attempt[]): string[] =>
  attempts.map((attempt) => state.decide(attempt).kind)
const many = (count: number, given: Parameters<typeof signed>[1] = {}): Attempt[] =>
  Array.from({ length: count }, () => signed(someStep, given))

describe('memoryState forgets a nonce', () => {
  const first = signed(someStep)

  it('when both the clock and real time are past its end: it then makes room', () => {
    const state = stateWith({ mostNonces: 1 })
    expect(kindsOf(state, [first, signed(someStep)])).toEqual(['accepted', 'full'])
    passes(overMs)
    const at = later(first, overMs).at
    expect(kindsOf(state, many(2, { at }))).toEqual(['accepted', 'full'])
  })

  it('not while the clock stands still, however long', () => {
    const state = stateWith()
    state.decide(first)
    for (let hour = 0; hour < 24 * 40; hour++) {
      passes(3_600_000)
      state.decide(signed(someStep, { seeds: ['another'] }))
    }
    expect(state.decide(first).kind).toBe('replayed')
  })

  it('not while the clock is an hour ahead: when it is set back, the nonce is spent, and others are let in', () => {
    const state = stateWith()
    state.decide(first)
    passes(1000)
    for (const ms of [3_600_000, 3_601_000]) {
      expect(state.decide(signed(someStep, { at: later(first, ms).at })).kind).toBe('accepted')
      passes(1000)
    }
    expect(state.decide(later(first, 3000))).toEqual({ kind: 'replayed' })
    expect(state.decide(signed(someStep, { at: later(first, 3000).at })).kind).toBe('accepted')
  })

  it('and then does not know what expires no later: a clock that was ahead for long was set back', () => {
    const state = stateWith()
    state.decide(first)
    passes(overMs)
    // Forgotten, by a clock that is right for all that it knows.
    state.decide(signed(someStep, { at: later(first, overMs).at }))
    expect(state.decide(first)).toEqual({ kind: 'unknown', retryAfter: expect.any(Number) as number })
    const { retryAfter = 0 } = state.decide(first) as { retryAfter?: number }
    const at = later(first, retryAfter * 1000).at
    expect(state.decide(signed(someStep, { at: new Date(at.getTime() - 1000) })).kind).toBe('unknown')
    expect(state.decide(signed(someStep, { at })).kind).toBe('accepted')
  })

  it('not in the last second of a proof, and then at once', () => {
    const state = stateWith({ mostNonces: 1 })
    const expires = secondOf(first.at) + 2 * period + (30 - ((secondOf(first.at) + 2 * period) % 30))
    const last = signed(someStep, { expires })
    state.decide(last)
    const leftMs = expires * 1000 - last.at.getTime()
    passes(leftMs + 5000)
    expect(
      kindsOf(state, [later(last, leftMs + 999), ...many(1, { at: later(last, leftMs + 999).at })]),
    ).toEqual([...['replayed', 'full']])
    expect(kindsOf(state, many(1, { at: later(last, leftMs + 1000).at }))).toEqual(['accepted'])
  })

  it('not before its end in real time, and then at once, with a clock that is ahead', () => {
    const state = stateWith({ mostNonces: 1 })
    const last = signed(someStep, { expires: secondOf(inStep(someStep + 3, 0)) })
    state.decide(last)
    const leftMs = inStep(someStep + 3, 1).getTime() - last.at.getTime()
    const at = later(last, 3_600_000).at
    passes(leftMs - 1)
    expect(kindsOf(state, many(1, { at }))).toEqual(['full'])
    passes(1)
    expect(kindsOf(state, many(1, { at }))).toEqual(['accepted'])
  })

  it('between two rounds of looking at all seeds, if it needs the room', () => {
    for (const seed of ['seed-of-alice', 'another']) {
      const state = stateWith({ mostNonces: 1, mostNoncesInAll: 1 })
      state.decide(signed(someStep, { seeds: [seed] }))
      // A round comes once a minute; this one is too early.
      passes(61_000)
      state.decide(later(signed(someStep, { seeds: [seed] }), 61_000))
      passes(30_000)
      expect(kindsOf(state, many(1, { at: later(first, 91_000).at }))).toEqual(['accepted'])
    }
  })

  it('of an idle seed too', () => {
    const state = stateWith({ mostNoncesInAll: 3 })
    state.decide(signed(someStep, { seeds: ['idle'] }))
    expect(kindsOf(state, many(3))).toEqual(['accepted', 'accepted', 'full'])
    passes(overMs)
    expect(kindsOf(state, many(4, { at: later(first, overMs).at }))).toEqual([
      ...['accepted', 'accepted', 'accepted', 'full'],
    ])
  })
})

describe('memoryState forgets a seed', () => {
  const monthMs = 31 * 24 * 3_600_000

  /** What is known of a spent nonce after real time and the clock went on, and the clock was set back. */
  function after(realMs: number, clockMs: number, first = signed(someStep)): string {
    const state = stateWith()
    state.decide(first)
    passes(realMs)
    state.decide(signed(someStep, { seeds: ['another'], at: later(first, clockMs).at }))
    return state.decide(first).kind
  }

  it('a month after its last proof, by the clock and in real time', () => {
    expect(after(monthMs - 1, monthMs)).toBe('unknown')
    expect(after(monthMs, monthMs - 1)).toBe('unknown')
    expect(after(monthMs, monthMs)).toBe('accepted')
  })

  it('not while one of its nonces is remembered', () => {
    const expires = secondOf(inStep(someStep)) + (2 * monthMs) / 1000
    expect(after(monthMs, monthMs, signed(someStep, { expires }))).toBe('replayed')
  })
})

describe('memoryState, whatever clocks do', () => {
  const step = fc.record({
    clockMs: fc.constantFrom(0, 0, 1000, 20_000, 61_000, 3_600_000, -3_600_000, -2000),
    realMs: fc.constantFrom(0, 1000, 20_000, 61_000, 3_600_000),
    again: fc.option(fc.nat(30)),
    skew: fc.integer({ min: -60, max: 60 }),
  })

  it('accepts no proof twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const state = stateWith()
        let at = inStep(someStep).getTime()
        const sent: { attempt: Attempt; accepted: number }[] = []
        for (const { clockMs, realMs, again, skew } of steps) {
          at += clockMs
          passes(realMs)
          const known = again === null ? undefined : sent[again]
          const fresh = signed(someStep, { at: new Date(at), created: secondOf(new Date(at)) + skew })
          const one = known ?? { attempt: fresh, accepted: 0 }
          if (!known) sent.push(one)
          const { kind } = state.decide({ ...one.attempt, at: new Date(at) })
          if (kind === 'accepted') one.accepted++
          expect(one.accepted).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('accepts every new proof while they agree, of a peer that is ahead or behind by as much as is allowed', () => {
    const state = stateWith()
    const begin = inStep(someStep).getTime()
    for (let second = 0; second < 3600; second += 7) {
      const at = new Date(begin + second * 1000)
      for (const skew of [-60, 0, 60]) {
        const attempt = signed(someStep, { at, created: secondOf(at) + skew })
        expect(state.decide(attempt)).toEqual({ kind: 'accepted' })
      }
      passes(7000)
    }
  })
})

describe('the bounds on nonces of memoryState', () => {
  const at = inStep(someStep)

  it('refuse further ones of a seed, say when there is room, and forget none', () => {
    const state = stateWith({ mostNonces: 100 })
    const sent = many(100)
    expect(new Set(kindsOf(state, sent))).toEqual(new Set(['accepted']))
    const further = signed(someStep)
    const answer = state.decide(further)
    expect(answer).toEqual({ kind: 'full', retryAfter: expect.any(Number) as number })
    expect(new Set(kindsOf(state, sent))).toEqual(new Set(['replayed']))

    const { retryAfter = 0 } = answer as { retryAfter?: number }
    expect(retryAfter).toBeLessThanOrEqual(overMs / 1000)
    passes(retryAfter * 1000)
    // Nothing was written when it was refused.
    const then = new Date(at.getTime() + retryAfter * 1000)
    const { proof } = further
    expect(state.decide(signed(someStep, { at: then, nonce: proof?.nonce ?? '' })).kind).toBe('accepted')
  })

  it('have room again when those that end first are over', () => {
    const state = stateWith({ mostNonces: 2 })
    const ends = [someStep + 3, someStep + 2]
    const sent = ends.map((end) => signed(someStep, { expires: secondOf(inStep(end, 0)) }))
    expect(kindsOf(state, sent)).toEqual(['accepted', 'accepted'])
    expect(state.decide(signed(someStep))).toEqual({ kind: 'full', retryAfter: 46 })
    passes(46_000)
    expect(kindsOf(state, many(2, { at: inStep(someStep + 2, 1) }))).toEqual(['accepted', 'full'])
  })

  it('leave the claim as it is when they refuse', () => {
    const state = stateWith({ mostNonces: 1 })
    state.decide(signed(someStep))
    expect(state.decide(signed(someStep + 1, { at })).kind).toBe('full')
    expect(state.decide(rightCode(someStep + 1, { at })).kind).toBe('accepted')
  })

  it('keep seeds apart until the bound on all of them', () => {
    const state = stateWith({ mostNonces: 10, mostNoncesInAll: 25 })
    for (const seed of ['a', 'b']) {
      expect(kindsOf(state, many(11, { seeds: [seed] })).indexOf('full')).toBe(10)
    }
    expect(kindsOf(state, many(6, { seeds: ['c'] })).indexOf('full')).toBe(5)
    expect(state.decide(signed(someStep, { seeds: ['d'] }))).toEqual({ kind: 'full', retryAfter: 2 * period })
  })

  it('refuse no plain request', () => {
    const state = stateWith({ mostNonces: 1, mostNoncesInAll: 1 })
    expect(kindsOf(state, [signed(someStep), signed(someStep), rightCode(someStep + 1)])).toEqual([
      ...['accepted', 'full', 'accepted'],
    ])
  })

  it.each([0, -1, 1.5, NaN, Infinity, '5' as never])('are whole numbers above 0, not %s', (bound) => {
    for (const option of ['mostNonces', 'mostNoncesInAll']) {
      expect(failureOf(() => memoryState({ [option]: bound }))).toMatchObject({
        code: 'ERR_CONFIG_INVALID',
        message: `${option} must be a whole number above 0`,
      })
    }
  })
})
