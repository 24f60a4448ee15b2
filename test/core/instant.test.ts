import { describe, expect, it } from 'vitest'
import { parseRfc3339 } from '../../src/core/instant.js'

describe('parseRfc3339', () => {
  /** RFC 3339 §5.8, without its leap seconds, which no Date can hold. */
  it.each([
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
    ['2024-02-29 00:00:00z', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (text, instant) => {
    expect(parseRfc3339(text)?.toISOString()).toBe(instant)
  })

  it.each([
    '',
    '2026-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T25:00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01',
    '1767225600',
    ' 2026-01-01T00:00:00Z',
    'on 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z or so',
  ])('does not read %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined()
  })
})
