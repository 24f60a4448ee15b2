import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Ledger } from '../../src/probe/run/ledger.js'

/** What a run may wait in all, for time-outs of a second. */
const mostMs = 60_000

describe('the ledger of a run', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  const waiting = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

  it('is exhausted once the run has waited for longer than it may', async () => {
    const ledger = new Ledger(1000)
    await Promise.all([ledger.spend(() => waiting(mostMs)), vi.advanceTimersByTimeAsync(mostMs)])
    expect(ledger.exhausted).toBe(false)
    await Promise.all([ledger.spend(() => waiting(1)), vi.advanceTimersByTimeAsync(1)])
    expect(ledger.exhausted).toBe(true)
    expect(ledger.requests).toBe(2)
  })

  it('counts the time in which several requests are open once', async () => {
    const ledger = new Ledger(1000)
    const open = Array.from({ length: 6 }, () => ledger.spend(() => waiting(mostMs / 2)))
    await vi.advanceTimersByTimeAsync(mostMs / 2)
    await Promise.all(open)
    expect(ledger.exhausted).toBe(false)
  })

  it('counts a request that is still open', async () => {
    const ledger = new Ledger(1000)
    const open = ledger.spend(() => waiting(2 * mostMs))
    await vi.advanceTimersByTimeAsync(mostMs + 1)
    expect(ledger.exhausted).toBe(true)
    await Promise.all([open, vi.advanceTimersByTimeAsync(mostMs)])
  })

  it('does not count the time between requests', async () => {
    const ledger = new Ledger(1000)
    await Promise.all([ledger.spend(() => waiting(1)), vi.advanceTimersByTimeAsync(1)])
    await vi.advanceTimersByTimeAsync(2 * mostMs)
    expect(ledger.exhausted).toBe(false)
  })
})
