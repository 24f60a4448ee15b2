import { describe, expect, it } from 'vitest'
import { StrangerLimit } from '../../src/state/stranger-limit.js'
import { heapUsed } from '../support/memory.js'

const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1000)

describe('StrangerLimit', () => {
  it('lets 60 pass in any minute and tells the next when to come back', () => {
    const limit = new StrangerLimit()
    const waits = Array.from({ length: 60 }, (_, n) => limit.count('192.0.2.1', at(n / 2)))
    expect(new Set(waits)).toEqual(new Set([0]))
    expect(limit.count('192.0.2.1', at(30))).toBe(30)
    expect(limit.count('192.0.2.1', at(59.9))).toBe(1)
    expect(limit.count('192.0.2.1', at(60))).toBe(0)
    expect(limit.count('192.0.2.1', at(60))).toBe(1)
  })

  it('does not count those it turned away, so a source that slows down is served again', () => {
    const limit = new StrangerLimit({ perMinute: 1 })
    limit.count('a', at(0))
    for (let second = 1; second < 60; second++) expect(limit.count('a', at(second))).toBe(60 - second)
    expect(limit.count('a', at(60))).toBe(0)
  })

  it('keeps sources apart', () => {
    const limit = new StrangerLimit({ perMinute: 1 })
    limit.count('a', at(0))
    expect(limit.count('b', at(0))).toBe(0)
  })

  it('forgets the source that was quiet for longest when there are too many', () => {
    const limit = new StrangerLimit({ perMinute: 2, sources: 2 })
    for (const source of ['busy', 'quiet', 'busy', 'new']) limit.count(source, at(0))
    expect(limit.count('busy', at(0))).toBe(60)
    limit.count('quiet', at(0))
    expect(limit.count('quiet', at(0))).toBe(0)
  })

  it('takes as much memory for a source as its limit asks for, however many requests come', () => {
    const limit = new StrangerLimit({ perMinute: 2 })
    const before = heapUsed()
    for (let n = 0; n < 300_000; n++) limit.count('a', at(60 * n))
    expect(heapUsed() - before).toBeLessThan(1_000_000)
    expect(limit.count('a', at(60 * 299_999))).toBe(0)
  })

  it('is refused with bounds that are no whole numbers above 0', () => {
    for (const bad of [0, -1, 1.5, NaN, Infinity]) {
      expect(() => new StrangerLimit({ sources: bad })).toThrow(
        expect.objectContaining({
          code: 'ERR_CONFIG_INVALID',
          message: 'sources must be a whole number above 0',
        }),
      )
      expect(() => new StrangerLimit({ perMinute: bad })).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
      )
    }
  })
})
