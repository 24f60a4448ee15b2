import { describe, expect, it } from 'vitest'
import { durationRule, parseDuration } from '../../src/core/duration.js'

const dayMs = 24 * 3600 * 1000

describe('a duration', () => {
  it.each([
    ['1s', 1000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['24h', dayMs],
    ['30d', 30 * dayMs],
    ['2w', 14 * dayMs],
    ['007d', 7 * dayMs],
    ['999999999s', 999_999_999_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it('is at most a hundred years', () => {
    expect(parseDuration('36525d')).toBe(36_525 * dayMs)
    expect(parseDuration('36526d')).toBeUndefined()
    expect(parseDuration('876601h')).toBeUndefined()
  })

  it.each(
    ['', '0s', '0d', '000w', 'h', '24', '24 h', ' 24h', '24h ', '24H', '24ms', '1h30m', '-1h', '+1h'].concat([
      '1.5h',
      '1e3s',
      '0x10s',
      '1y',
      '1000000000s',
      '１h',
      'x24h',
      '24hx',
      'undefined',
    ]),
  )('is not %j', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it('is described by an example and every unit', () => {
    expect(durationRule).toBe('a duration such as 24h: a number followed by s, m, h, d or w')
  })
})
