import { describe, expect, it } from 'vitest'
import { GuessLog } from '../../src/state/guess-log.js'
import type { Attempt } from '../../src/state/state.js'
import { heapUsed } from '../support/memory.js'
import { inStep, someStep, wrongCode } from './attempts.js'

const begin = inStep(someStep, 0).getTime()

/** A guess so many milliseconds after the first. */
const guess = (ms: number, given: Partial<Attempt>): Attempt => wrongCode('1', new Date(begin + ms), given)

describe('the guesses at a seed', () => {
  it('stay in their order where they come a millisecond apart: none is forgotten early', () => {
    const budgets = [{ limit: 2, seconds: 10 }]
    const log = new GuessLog()
    for (const ms of [0, 9999, 10_000, 19_999]) {
      expect(log.waitFor(guess(ms, { budgets }))).toBe(0)
      log.add(guess(ms, { budgets }), `${ms}`)
    }
    expect(log.waitFor(guess(19_999, { budgets }))).toBe(1)
  })

  it('are compared with the live tokens only where they exhaust a budget', () => {
    let asked = 0
    const liveTokens = (): string[] => {
      asked++
      return ['a']
    }
    const given = { budgets: [{ limit: 2, seconds: 30 }], token: 'a', liveTokens }
    const log = new GuessLog()
    log.add(guess(0, given), '1')
    expect([log.waitFor(guess(1, given)), asked]).toEqual([0, 0])
    log.add(guess(1, given), '2')
    expect([log.waitFor(guess(2, given)), asked]).toEqual([29_998, 1])
    expect([log.waitFor(guess(30_000, given)), asked]).toEqual([0, 1])
  })

  it('take as much memory as the budgets ask for, however many come', () => {
    const budgets = [{ limit: 2, seconds: 1 }]
    const log = new GuessLog()
    const before = heapUsed()
    for (let n = 0; n < 100_000; n++) log.add(guess(n * 1000, { budgets }), `guess ${n}`)
    expect(heapUsed() - before).toBeLessThan(1_000_000)
    expect(log.waitFor(guess(99_999_000, { budgets }))).toBe(0)
  })
})

describe('the tokens that are told apart at a seed', () => {
  const tokens = Array.from({ length: 16 }, (_, n) => `sha256:${n}`)

  /** Exhausts a budget of so many guesses with a stolen token, and returns whether a new token would restore service. */
  function restores(log: GuessLog, ms: number, limit: number): boolean {
    const budgets = [{ limit, seconds: 30 }]
    const stolen = { budgets, token: 'sha256:stolen', liveTokens: () => ['sha256:stolen'] }
    for (let n = 0; n < limit; n++) log.add(guess(ms, stolen), `stolen ${n}`)
    expect(log.waitFor(guess(ms, stolen))).toBe(30_000)
    return log.waitFor(guess(ms, { ...stolen, liveTokens: () => ['sha256:new'] })) === 0
  }

  it.each([
    ['still count', 29_999, false],
    ['have just ceased to count', 30_000, true],
  ])('leave a place to another one where their guesses %s: after %i ms %s', (_when, ms, expected) => {
    const log = new GuessLog()
    const budgets = [{ limit: 1, seconds: 30 }]
    for (const token of tokens) log.add(guess(0, { budgets, token }), token)
    expect(restores(log, ms, 1)).toBe(expected)
  })

  it('are sixteen besides guesses whose token nobody knows', () => {
    for (const [others, expected] of [
      [15, true],
      [16, false],
    ] as const) {
      const log = new GuessLog()
      const budgets = [{ limit: 2, seconds: 30 }]
      log.add(guess(0, { budgets }), 'unlisted')
      for (const token of tokens.slice(0, others)) log.add(guess(0, { budgets, token }), token)
      expect(restores(log, 1, 2)).toBe(expected)
    }
  })
})
