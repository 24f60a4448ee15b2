import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TimeBudget } from '../../src/probe/wire/time-budget.js'

/** What a run may wait in all, for time-outs of a second. */
const mostMs = 60_000

describe('the time budget of a run', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  const waiting = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

  it('is exhausted once the run has waited for longer than it may', async () => {
    const budget = new TimeBudget(1000)
    await Promise.all([budget.spend(() => waiting(mostMs)), vi.advanceTimersByTimeAsync(mostMs)])
    expect(budget.exhausted).toBe(false)
    await Promise.all([budget.spend(() => waiting(1)), vi.advanceTimersByTimeAsync(1)])
    expect(budget.exhausted).toBe(true)
    expect(budget.requests).toBe(2)
  })

  it('counts the time in which several requests are open once', async () => {
    const budget = new TimeBudget(1000)
    const open = Array.from({ length: 6 }, () => budget.spend(() => waiting(mostMs / 2)))
    await vi.advanceTimersByTimeAsync(mostMs / 2)
    await Promise.all(open)
    expect(budget.exhausted).toBe(false)
  })

  it('counts a request that is still open', async () => {
    const budget = new TimeBudget(1000)
    const open = budget.spend(() => waiting(2 * mostMs))
    await vi.advanceTimersByTimeAsync(mostMs + 1)
    expect(budget.exhausted).toBe(true)
    await Promise.all([open, vi.advanceTimersByTimeAsync(mostMs)])
  })

  it('does not count the time between requests', async () => {
    const budget = new TimeBudget(1000)
    await Promise.all([budget.spend(() => waiting(1)), vi.advanceTimersByTimeAsync(1)])
    await vi.advanceTimersByTimeAsync(2 * mostMs)
    expect(budget.exhausted).toBe(false)
  })
})
