import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { progressLine } from '../../src/cli/commands/probe/probe-progress.js'

describe('the line that is shown while a probe runs', () => {
  beforeEach(() => void vi.useFakeTimers({ now: new Date('2030-01-01T00:00:00Z') }))
  afterEach(() => void vi.useRealTimers())

  it('counts requests, and the seconds of a wait down', () => {
    const shown: string[] = []
    const line = progressLine(
      (text) => shown.push(text),
      () => new Date(),
    )
    line.update({ done: 2 })
    line.update({ done: 3, planned: 120 })
    line.update({
      done: 3,
      planned: 120,
      waitingUntil: new Date('2030-01-01T00:00:03Z'),
      what: 'a time step',
    })
    vi.advanceTimersByTime(2000)
    line.update({ done: 4, planned: 120 })
    vi.advanceTimersByTime(5000)
    expect(shown).toEqual([
      'probing: 2 requests',
      'probing: 3 of about 120 requests',
      'probing: 3 of about 120 requests, 3 s left to wait for a time step',
      'probing: 3 of about 120 requests, 2 s left to wait for a time step',
      'probing: 3 of about 120 requests, 1 s left to wait for a time step',
      'probing: 4 of about 120 requests',
    ])
  })

  it('shows a remark until the next request, and is silent once it is stopped', () => {
    const shown: string[] = []
    const line = progressLine(
      (text) => shown.push(text),
      () => new Date(),
    )
    line.remark('policy once: this takes 90 s')
    line.update({ done: 1, waitingUntil: new Date('2030-01-01T00:01:00Z') })
    line.stop()
    vi.advanceTimersByTime(5000)
    expect(shown).toEqual([
      'probing: 0 requests, policy once: this takes 90 s',
      'probing: 1 request, 60 s left to wait',
    ])
  })
})
