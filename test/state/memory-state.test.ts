import { describe, expect, it } from 'vitest'
import { memoryState } from '../../src/state/memory-state.js'
import { heapUsed } from '../support/heap.js'
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
    expect(() => memoryState({ since: new Date(NaN) })).toThrow(/valid Date/)
  })

  it('does not believe a beginning that only a wrong clock can have set, and sweeps by the right one', () => {
    const state = memoryState({ since: inStep(someStep + 1_000_000) })
    expect(state.decide(rightCode(someStep + 1_000_000)).kind).toBe('unknown')
    expect(state.decide(rightCode(someStep)).kind).toBe('unknown')
    expect(state.decide(rightCode(someStep + 2))).toEqual({ kind: 'accepted' })
    const before = heapUsed()
    for (let step = someStep + 3; step < someStep + 200_000; step += 10)
      state.decide(rightCode(step, { peer: `peer-${step}` }))
    expect(heapUsed() - before).toBeLessThan(1_000_000)
    // Used after the measurement, so that it was held.
    expect(state.decide(rightCode(someStep + 200_000))).toEqual({ kind: 'accepted' })
  })

  it('stays sorted when the clock is set back: no guess is forgotten early', () => {
    const state = memoryState()
    const budgets = [{ limit: 2, seconds: 30 }]
    state.decide(wrongCode('1', inStep(someStep, 20), { budgets }))
    state.decide(wrongCode('2', inStep(someStep, 5), { budgets }))
    const later = wrongCode('3', inStep(someStep + 1, 19), { budgets })
    expect(state.decide(later)).toEqual({ kind: 'throttled', retryAfter: 1 })
  })

  it('holds 100,000 pairs of peer and token under attack, and beyond them forgets the oldest', () => {
    const state = memoryState()
    const budgets = [{ limit: 1, seconds: 3600 }]
    const guess = (peer: number): string =>
      state.decide(wrongCode('1', inStep(someStep), { peer: `peer-${peer}`, budgets })).kind
    for (let peer = 0; peer < 100_000; peer++) guess(peer)
    expect([guess(0), guess(1)]).toEqual(['throttled', 'throttled'])
    expect(guess(100_000)).toBe('wrong')
    expect(guess(1)).toBe('throttled')
    expect(guess(0)).toBe('wrong')
  })

  it('keeps no claim or guess that can matter no more', () => {
    const state = memoryState({ since: new Date(0) })
    const budgets = [{ limit: 5, seconds: 30 }]
    const before = heapUsed()
    for (let step = someStep; step < someStep + 500_000; step += 10) {
      state.decide(rightCode(step, { peer: `peer-${step}` }))
      state.decide(wrongCode('1', inStep(step), { peer: `peer-${step}`, budgets }))
    }
    const bytesPerPeer = (heapUsed() - before) / 50_000
    expect(bytesPerPeer).toBeLessThan(20)
    expect(state.decide(rightCode(someStep + 500_000))).toEqual({ kind: 'accepted' })
  })
})
