import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memoryState, type MemoryState } from '../../src/state/memory-state.js'
import type { Attempt } from '../../src/state/state.js'
import { failureOf } from '../support/failure.js'
import { heapUsed } from '../support/memory.js'
import { inStep, rightCode, someStep, wrongCode } from './attempts.js'
import { stateContract } from './state-contract.js'

stateContract('memoryState', (since) => memoryState({ since }))

describe('memoryState', () => {
  it('answers at once, so that nothing can come between question and claim', () => {
    expect(memoryState().decide(rightCode(someStep))).not.toBeInstanceOf(Promise)
  })

  it('knows only what came after it was made, unless told otherwise', () => {
    const now = Math.floor(Date.now() / 30_000)
    expect(memoryState().decide(rightCode(now))).toMatchObject({ kind: 'unknown' })
    expect(memoryState().decide(rightCode(now + 3))).toEqual({ kind: 'accepted' })
  })

  it('begins at an instant, or not at all', () => {
    expect(failureOf(() => memoryState({ since: new Date(NaN) }))).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: 'since must be a valid Date',
    })
  })

  it('does not believe a beginning that only a wrong clock can have set', () => {
    const state = memoryState({ since: inStep(someStep + 1_000_000) })
    expect(state.decide(rightCode(someStep + 1_000_000)).kind).toBe('unknown')
    expect(state.decide(rightCode(someStep)).kind).toBe('unknown')
    expect(state.decide(rightCode(someStep + 2))).toEqual({ kind: 'accepted' })
  })

  it.each([
    [0, 30_000],
    [1, 90_000],
    [2, 150_000],
  ])(
    "with window %i believes a beginning that is ahead by a code's life of %i ms, and none beyond",
    (window, ms) => {
      const decided = (aheadMs: number): string => {
        const state = memoryState({ since: new Date(inStep(someStep).getTime() + aheadMs) })
        expect(state.decide(rightCode(someStep, { window })).kind).toBe('unknown')
        return state.decide(rightCode(someStep + 1 + window, { window })).kind
      }
      expect([decided(ms), decided(ms + 1)]).toEqual(['unknown', 'accepted'])
    },
  )

  it('stays sorted when the clock is set back: no guess is forgotten early', () => {
    const state = memoryState()
    const budgets = [{ limit: 2, seconds: 30 }]
    state.decide(wrongCode('1', inStep(someStep, 20), { budgets }))
    state.decide(wrongCode('2', inStep(someStep, 5), { budgets }))
    const later = wrongCode('3', inStep(someStep + 1, 19), { budgets })
    expect(state.decide(later)).toEqual({ kind: 'throttled', retryAfter: 1 })
  })

  it('keeps a tripped log, however many guesses others make', () => {
    const state = memoryState()
    const budgets = [{ limit: 1, seconds: 3600 }]
    const guess = (peer: number, code: string): string => {
      const given = { peer: `peer-${peer}`, seeds: [`seed-${peer}`], budgets }
      return state.decide(wrongCode(code, inStep(someStep), given)).kind
    }
    guess(0, '1')
    for (let peer = 1; peer < 100_000; peer++) guess(peer, '1')
    expect([guess(0, '2'), guess(1, '2')]).toEqual(['throttled', 'throttled'])
  })

  it('holds nothing for guesses at a budget that is exhausted', () => {
    const state = memoryState()
    const budgets = [{ limit: 5, seconds: 86_400 }]
    const before = heapUsed()
    for (let n = 0; n < 200_000; n++) state.decide(wrongCode(String(n), inStep(someStep + n), { budgets }))
    expect(heapUsed() - before).toBeLessThan(1_000_000)
    expect(state.decide(rightCode(someStep + 1, { budgets })).kind).toBe('throttled')
  })
})

describe('memoryState forgets', () => {
  const day = 24 * 3_600_000
  const budgets = [{ limit: 1, seconds: 86_400 }]
  const spent = rightCode(someStep)
  const guess = (code: string): Attempt => wrongCode(code, spent.at, { budgets })

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** What is kept of a claim and a guess after real time went on, and the clock too, and was set back then. */
  function after({ realMs, clockMs }: { realMs: number; clockMs: number }): [string, string] {
    const state: MemoryState = memoryState({ since: new Date(0) })
    state.decide(spent)
    const other = { ...guess('1'), seeds: ['guessed'] }
    state.decide(other)
    vi.advanceTimersByTime(realMs)
    // Of another seed, so that nothing but the passing of time forgets.
    const at = new Date(spent.at.getTime() + clockMs)
    state.decide({ ...wrongCode('9', at), seeds: ['another'] })
    return [state.decide(spent).kind, state.decide({ ...guess('2'), seeds: ['guessed'] }).kind]
  }

  it('claims and guesses once both the clock and real time are past their end', () => {
    expect(after({ realMs: 33 * day, clockMs: 33 * day })).toEqual(['accepted', 'wrong'])
  })

  it('guesses after their day, and claims not before a month has passed', () => {
    expect(after({ realMs: 2 * day, clockMs: 2 * day })).toEqual(['replayed', 'wrong'])
    expect(after({ realMs: 30 * day, clockMs: 30 * day })).toEqual(['replayed', 'wrong'])
  })

  it('claims a month after their code is over, to the millisecond', () => {
    const ms = 31 * day + 90_000
    expect(after({ realMs: ms, clockMs: ms })).toEqual(['accepted', 'wrong'])
    expect(after({ realMs: ms - 1, clockMs: ms })).toEqual(['replayed', 'wrong'])
    expect(after({ realMs: ms, clockMs: ms - 1 })).toEqual(['replayed', 'wrong'])
  })

  it('nothing while the clock stands still, or while it is ahead', () => {
    expect(after({ realMs: 33 * day, clockMs: 0 })).toEqual(['replayed', 'throttled'])
    expect(after({ realMs: 61_000, clockMs: 33 * day })).toEqual(['replayed', 'throttled'])
  })

  it('what a late code was compared with after twenty minutes', () => {
    const state = memoryState({ since: new Date(0) })
    const ahead = (timeStep: number, ms: number): boolean =>
      state.takeBack(wrongCode('5', new Date(spent.at.getTime() + ms)), { drift: 5, timeStep })
    expect(ahead(1, 0)).toBe(false)
    vi.advanceTimersByTime(61_000)
    state.decide(wrongCode('6', new Date(spent.at.getTime() + 60_000)))
    expect(ahead(2, 60_000)).toBe(true)
    vi.advanceTimersByTime(61_000)
    state.decide(wrongCode('7', new Date(spent.at.getTime() + 22 * 60_000)))
    // Set back, the second sighting would be of a minute ago.
    expect(ahead(3, 120_000)).toBe(false)
  })

  it('peers whose codes ahead are too long ago: seeds that come and go fill no memory', () => {
    const state = memoryState()
    const before = heapUsed()
    for (let n = 0; n < 50_000; n++) {
      const attempt = wrongCode('5', spent.at, { seeds: [`seed-${n}`] })
      state.takeBack(attempt, { drift: 5, timeStep: someStep + 5 })
    }
    state.decide(wrongCode('6', new Date(spent.at.getTime() + 20 * 60_000 + 1)))
    expect(heapUsed() - before).toBeLessThan(1_000_000)
  })

  it('nothing of a right code that is taken back', () => {
    const state = memoryState({ since: new Date(0) })
    expect(state.takeBack(spent, { drift: -5, timeStep: 1 })).toBe(false)
  })
})
