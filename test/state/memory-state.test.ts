import { describe, expect, it } from 'vitest'
import { memoryState } from '../../src/state/memory-state.js'
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
    expect(() => memoryState({ since: new Date(NaN) })).toThrow(/valid Date/)
  })

  it('does not believe a beginning that only a wrong clock can have set', () => {
    const state = memoryState({ since: inStep(someStep + 1_000_000) })
    expect(state.decide(rightCode(someStep + 1_000_000)).kind).toBe('unknown')
    expect(state.decide(rightCode(someStep)).kind).toBe('unknown')
    expect(state.decide(rightCode(someStep + 2))).toEqual({ kind: 'accepted' })
  })

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
