import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RawAnswer } from '../../src/probe/wire/raw-answer.js'
import { TimeBudget } from '../../src/probe/wire/time-budget.js'
import { rawAnswer } from '../support/answers.js'

/** What a run may wait in vain, for time-outs of a second. */
const mostMs = 60_000

const lost: RawAnswer = { answered: false, reason: 'timeout', explanation: 'no answer', durationMs: 1 }

describe('the time budget of a run', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  const after = (ms: number, outcome: RawAnswer): Promise<RawAnswer> =>
    new Promise((done) => setTimeout(() => done(outcome), ms))

  it('is exhausted once the run has waited in vain for longer than it may', async () => {
    const budget = new TimeBudget(1000)
    await Promise.all([budget.spend(() => after(mostMs, lost)), vi.advanceTimersByTimeAsync(mostMs)])
    expect(budget.exhausted).toBe(false)
    await Promise.all([budget.spend(() => after(1, lost)), vi.advanceTimersByTimeAsync(1)])
    expect(budget.exhausted).toBe(true)
    expect(budget.requests).toBe(2)
  })

  it('counts the time in which several requests are open once', async () => {
    const budget = new TimeBudget(1000)
    const open = Array.from({ length: 6 }, () => budget.spend(() => after(mostMs, lost)))
    await vi.advanceTimersByTimeAsync(mostMs)
    await Promise.all(open)
    expect(budget.exhausted).toBe(false)
  })

  it('does not count what was answered, however slowly', async () => {
    const budget = new TimeBudget(1000)
    const slow = [rawAnswer(401, ''), { ...lost, reason: 'broken' as const }]
    const open = slow.map((outcome) => budget.spend(() => after(2 * mostMs, outcome)))
    await vi.advanceTimersByTimeAsync(2 * mostMs)
    await Promise.all(open)
    expect(budget.exhausted).toBe(false)
  })

  it('does not count the time between requests', async () => {
    const budget = new TimeBudget(1000)
    await Promise.all([budget.spend(() => after(1, lost)), vi.advanceTimersByTimeAsync(1)])
    await vi.advanceTimersByTimeAsync(2 * mostMs)
    expect(budget.exhausted).toBe(false)
    await Promise.all([budget.spend(() => after(1, lost)), vi.advanceTimersByTimeAsync(1)])
    expect(budget.exhausted).toBe(false)
  })
})
