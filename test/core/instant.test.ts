import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isWritable, parseHttpDate, parseKeptInstant, parseRfc3339 } from '../../src/core/instant.js'

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
    // Node's Date reads these.
    '-002026-01-01T00:00:00Z',
    '0(2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\0x',
  ])('does not read %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined()
  })
})

describe('an instant that is kept', () => {
  it('has a year of four digits in UTC, whatever its offset', () => {
    const offsets = fc.integer({ min: -23 * 60, max: 23 * 60 })
    const local = fc.constantFrom('0000-01-01T00:00:00', '2026-03-01T12:00:00', '9999-12-31T23:59:59')
    const two = (value: number): string => String(value).padStart(2, '0')
    fc.assert(
      fc.property(local, offsets, (text, offset) => {
        const size = Math.abs(offset)
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
        const at = parseRfc3339(`${text}${zone}`)
        const isKept = /^\d{4}-/.test(at?.toISOString() ?? '')
        expect(parseKeptInstant(`${text}${zone}`)).toEqual(isKept ? at : undefined)
      }),
    )
  })

  it.each([
    ['0000-01-01T00:00:00.000Z', true],
    ['9999-12-31T23:59:59.999Z', true],
    ['-000001-12-31T23:59:59.999Z', false],
    ['+010000-01-01T00:00:00.000Z', false],
  ])('may be %s: %s', (text, isKept) => {
    expect(isWritable(new Date(text))).toBe(isKept)
  })

  it('is no invalid date', () => {
    expect(isWritable(new Date(NaN))).toBe(false)
  })
})

const now = new Date('2026-11-29T00:00:00Z')

describe('an HTTP date', () => {
  /** The examples of RFC 9110 §5.6.7, all of one instant. */
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'is read in the form %s, as UTC',
    (text) => {
      expect(parseHttpDate(text, now)?.toISOString()).toBe('1994-11-06T08:49:37.000Z')
    },
  )

  it('may have spaces around it', () => {
    const text = ' Sun, 06 Nov 1994 08:49:37 GMT\t'
    expect(parseHttpDate(text, now)?.toISOString()).toBe('1994-11-06T08:49:37.000Z')
  })

  it('is what toUTCString writes, for every second of four-digit years', () => {
    const seconds = fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(seconds, (at) => {
        const whole = Math.floor(at.getTime() / 1000) * 1000
        expect(parseHttpDate(new Date(whole).toUTCString(), now)?.getTime()).toBe(whole)
      }),
    )
  })

  it.each([
    ['76', 2076],
    ['77', 1977],
    ['26', 2026],
    ['99', 1999],
  ])('with the year %s means %i', (two, year) => {
    expect(parseHttpDate(`Sunday, 06-Nov-${two} 08:49:37 GMT`, now)?.getUTCFullYear()).toBe(year)
  })

  it.each([
    ['40', 2140],
    ['41', 2041],
    ['90', 2090],
    ['39', 2139],
  ])('with the year %s means %i towards the end of a century', (two, year) => {
    const at = parseHttpDate(`Sunday, 06-Nov-${two} 08:49:37 GMT`, new Date('2090-01-01T00:00:00Z'))
    expect(at?.getUTCFullYear()).toBe(year)
  })

  it.each([
    '',
    '60',
    'tomorrow',
    'on Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT+1',
    'on Sunday, 06-Nov-94 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT+1',
    'on Sun Nov  6 08:49:37 1994',
    'Sun Nov  6 08:49:37 1994 CET',
    '2026-11-29T00:00:00Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 +0530',
    'Sun, 31 Feb 2026 08:49:37 GMT',
    'Sun, 06 Xxx 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 25:49:37 GMT',
  ])('is not %j', (text) => {
    expect(parseHttpDate(text, now)).toBeUndefined()
  })
})
