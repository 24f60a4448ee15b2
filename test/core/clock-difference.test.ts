import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockDifferenceMs, durationText } from '../../src/core/clock-difference.js'

const profile = { period: 30, window: 1 }
/** The agent's time: the beginning of a time step. */
const agent = new Date('2026-11-29T12:00:00Z')

/** What a refusal shows to a machine whose clock is so many seconds ahead of the agent's. */
function seen(
  aheadSeconds: number,
  { takes = 0, age, at = agent }: { takes?: number; age?: string; at?: Date } = {},
) {
  const receivedAt = new Date(at.getTime() + aheadSeconds * 1000)
  const sentAt = new Date(receivedAt.getTime() - takes * 1000)
  return clockDifferenceMs(profile, { sentAt, receivedAt, date: at.toUTCString(), age })
}

describe('a difference between clocks', () => {
  it.each([
    [0, undefined],
    [-29, undefined],
    // Two steps apart, but one within a second.
    [-60, undefined],
    [-61, -61],
    [-62, -62],
    [-130, -130],
    [-3600, -3600],
    [59, undefined],
    [62, 62],
    [3600, 3600],
    [365 * 24 * 3600, 365 * 24 * 3600],
    [365 * 24 * 3600 + 1, undefined],
  ])('of %i s is told as %s', (aheadSeconds, told) => {
    const ms = seen(aheadSeconds)
    if (told === undefined) expect(ms).toBeUndefined()
    else expect(ms).toBe(told * 1000)
  })

  it('is not told where the agent’s time step may have ended within the second of its Date, and one more', () => {
    const at = new Date(agent.getTime() + 28_000)
    expect(seen(32, { at })).toBeUndefined()
    expect(seen(62, { at })).toBe(62_000)
  })

  it('is not what the exchange took', () => {
    expect(seen(0, { takes: 600 })).toBeUndefined()
    expect(seen(600, { takes: 590 })).toBeUndefined()
    expect(seen(-600, { takes: 10 })).toBe(-605_000)
  })

  it('counts the age of an answer from a cache', () => {
    const old = new Date(agent.getTime() - 3_600_000)
    const exchange = { sentAt: agent, receivedAt: agent, date: old.toUTCString() }
    expect(clockDifferenceMs(profile, { ...exchange, age: '3600' })).toBeUndefined()
    expect(clockDifferenceMs(profile, { ...exchange, age: ' 60 ' })).toBe(3_540_000)
    expect(clockDifferenceMs(profile, exchange)).toBe(3_600_000)
  })

  it.each(['Sun, 29 Nov 2026 12:00:00 GMT', 'Sunday, 29-Nov-26 12:00:00 GMT', 'Sun Nov 29 12:00:00 2026'])(
    'is read from a Date in UTC, of each form: %s',
    (date) => {
      const now = new Date(agent.getTime() - 130_000)
      expect(clockDifferenceMs(profile, { sentAt: now, receivedAt: now, date })).toBe(-130_000)
    },
  )

  it.each([
    ...[null, undefined, '', 'now', '0', '-1', '1796000000', 'Sun, 29 Nov 2026 12:00:00 +0530'],
    ...['Sun, 29 Nov 2026 11:00:00 GMT, Sun, 29 Nov 2026 11:00:00 GMT', '2026-11-29T11:00:00Z'],
    ...['Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT', 'Sat, 01 Jan 0000 00:00:00 GMT'],
  ])('is not seen in the Date %j', (date) => {
    expect(clockDifferenceMs(profile, { sentAt: agent, receivedAt: agent, date })).toBeUndefined()
  })

  it.each(['-3600', '1e9', '99999999999', '0x10', '60, 60', 'NaN', '1.5'])(
    'is not seen with the Age %j',
    (age) => {
      expect(seen(3600, { age })).toBeUndefined()
    },
  )

  it('is told whenever it must make a code wrong, and never where the code could be right', () => {
    const seconds = fc.integer({ min: 0, max: 10_000_000 })
    fc.assert(
      fc.property(seconds, fc.integer({ min: -300_000, max: 300_000 }), (second, aheadMs) => {
        const at = new Date(agent.getTime() + second * 1000)
        const steps = Math.floor((at.getTime() + aheadMs) / 30_000) - Math.floor(at.getTime() / 30_000)
        const told = seen(aheadMs / 1000, { at })
        if (Math.abs(steps) <= 1) expect(told).toBeUndefined()
        if (Math.abs(aheadMs) >= 92_000) expect(told).toBeDefined()
      }),
    )
  })
})

describe('a duration in words', () => {
  it.each([
    [0, '0 s'],
    [499, '0 s'],
    [1000, '1 s'],
    [62_000, '1 min 2 s'],
    [-130_000, '2 min 10 s'],
    [60_000, '1 min'],
    [120_000, '2 min'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [86_400_000 * 12, '12 d'],
    [86_400_000 + 3_600_000, '1 d 1 h'],
  ])('of %i ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text)
  })
})
