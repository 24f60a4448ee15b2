import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { algorithms, defaultProfile, type Algorithm } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import {
  driftsWithin,
  endOfStep,
  generateCode,
  generateCodeOfStep,
  isCode,
  isSameCode,
  secondsLeft,
  timeStepAt,
  verifyCode,
} from '../../src/core/totp.js'
import { anyCharacter, anyCodeProfile, anyInstant, anySeed } from '../support/arbitraries.js'
import { codeOf } from '../support/failure.js'

type Case = Readonly<Record<Algorithm, string>> & { readonly unix: number }

const vectors = JSON.parse(readFileSync(new URL('../vectors/rfc.json', import.meta.url), 'utf8')) as {
  hotp: { seedAscii: string; codes: string[] }
  totp: { seedAscii: Record<Algorithm, string>; cases: Case[] }
}
const ascii = (text: string) => Seed.fromBytes(Buffer.from(text, 'ascii'))
const seed = ascii(vectors.hotp.seedAscii)

describe('a code', () => {
  it.each(vectors.hotp.codes.map((code, counter) => ({ counter, code })))(
    'is $code for counter $counter (RFC 4226 Appendix D)',
    ({ counter, code }) => {
      expect(generateCodeOfStep(seed, defaultProfile, counter)).toBe(code)
    },
  )

  it.each(
    vectors.totp.cases.flatMap((vector) =>
      algorithms.map((algorithm) => ({ algorithm, unix: vector.unix, code: vector[algorithm] })),
    ),
  )('is $code for $algorithm at $unix s (RFC 6238 Appendix B)', ({ algorithm, unix, code }) => {
    const profile = { ...defaultProfile, algorithm, digits: 8 } as const
    const at = new Date(unix * 1000)
    const own = ascii(vectors.totp.seedAscii[algorithm])
    expect(generateCode(own, profile, at)).toBe(code)
    expect(verifyCode(own, profile, code, at)).toEqual({
      valid: true,
      timeStep: Math.floor(unix / 30),
      drift: 0,
    })
  })

  it('has as many ASCII digits as its profile says, leading zeros included', () => {
    fc.assert(
      fc.property(anySeed, anyCodeProfile, anyInstant, (any, profile, at) => {
        expect(isCode(generateCode(any, profile, at), profile)).toBe(true)
      }),
    )
  })

  it('does not exist before 1970 or at no time at all', () => {
    for (const at of [new Date(-1), new Date(NaN)]) {
      expect(codeOf(() => generateCode(seed, defaultProfile, at))).toBe('ERR_USAGE')
    }
    for (const timeStep of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      expect(codeOf(() => generateCodeOfStep(seed, defaultProfile, timeStep))).toBe('ERR_USAGE')
    }
  })
})

describe('a time step', () => {
  it('begins with its first millisecond and ends before that of the next', () => {
    fc.assert(
      fc.property(anyCodeProfile, fc.integer({ min: 0, max: 100_000_000 }), (profile, timeStep) => {
        const begin = timeStep * profile.period * 1000
        const end = endOfStep(profile, timeStep)
        expect(timeStepAt(profile, new Date(begin))).toBe(timeStep)
        expect(timeStepAt(profile, new Date(end.getTime() - 1))).toBe(timeStep)
        expect(timeStepAt(profile, end)).toBe(timeStep + 1)
      }),
    )
  })

  it.each([
    [0, 30],
    [1, 29],
    [29_000, 1],
    [29_001, 0],
    [29_999, 0],
    [30_000, 30],
  ])('at %d ms has %d whole seconds left of 30', (ms, left) => {
    expect(secondsLeft(defaultProfile, new Date(ms))).toBe(left)
  })
})

describe('verification', () => {
  const window = fc.integer({ min: 0, max: 2 })

  it('accepts the code of a time step exactly when the step is inside the window', () => {
    const distance = fc.integer({ min: -5, max: 5 })
    fc.assert(
      fc.property(anySeed, anyCodeProfile, anyInstant, window, distance, (any, profile, at, w, d) => {
        const now = timeStepAt(profile, at)
        fc.pre(now + d >= 0)
        const code = generateCodeOfStep(any, profile, now + d)
        // Another step of the window can have the same digits; then the nearest one counts.
        const twin = driftsWithin(w).find(
          (drift) => now + drift >= 0 && generateCodeOfStep(any, profile, now + drift) === code,
        )
        const expected =
          twin === undefined ? { valid: false } : { valid: true, timeStep: now + twin, drift: twin }
        if (Math.abs(d) <= w) expect(twin).toBeDefined()
        expect(verifyCode(any, { ...profile, window: w }, code, at)).toEqual(expected)
      }),
    )
  })

  it.each([
    [-60, undefined],
    [-30, 1],
    [0, 0],
    [29.999, 0],
    [30, -1],
    [60, undefined],
  ])('of a code made at 1111111110 s finds, %d s later, the drift %s', (later, drift) => {
    const made = 1_111_111_110
    const code = generateCode(seed, defaultProfile, new Date(made * 1000))
    const answer = verifyCode(seed, defaultProfile, code, new Date((made + later) * 1000))
    expect(answer).toEqual(
      drift === undefined ? { valid: false } : { valid: true, drift, timeStep: made / 30 },
    )
  })

  it('finds the nearest of two equal codes, and the earlier of two as near', () => {
    expect(driftsWithin(2)).toEqual([0, -1, 1, -2, 2])
  })

  it('looks at no step before 1970', () => {
    const code = generateCodeOfStep(seed, defaultProfile, 0)
    expect(verifyCode(seed, defaultProfile, code, new Date(0))).toMatchObject({ valid: true, drift: 0 })
    expect(verifyCode(seed, defaultProfile, code, new Date(-1))).toMatchObject({ valid: true, drift: 1 })
  })

  it('has no valid code at no time at all', () => {
    const code = generateCodeOfStep(seed, defaultProfile, 0)
    expect(verifyCode(seed, defaultProfile, code, new Date(NaN))).toEqual({ valid: false })
  })

  const right = '287082'
  it('accepts what the shapes below are made from', () => {
    expect(verifyCode(seed, defaultProfile, right, new Date(59_000)).valid).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['a digit too few', right.slice(1)],
    ['a digit too many', `${right}0`],
    ['a leading zero more', `0${right}`],
    ['a letter', '12345a'],
    ['full-width digits', '２８７０８２'],
    ['superscripts', '²⁸⁷⁰⁸²'],
    ['superscripts of Latin-1', '²³¹²³¹'],
    ['Arabic-Indic digits', '٢٨٧٠٨٢'],
    [
      'letters with the low bytes of the right digits',
      right.replace(/\d/g, (digit) => String.fromCharCode(0x130 + Number(digit))),
    ],
    ['a sign', '+23456'],
    ['a minus', '-87082'],
    ['a fraction', '2870.2'],
    ['an exponent', '1e5000'],
    ['hex', '0x1234'],
    ['a NUL', `${right}\0`],
    ['a NUL inside', '287\x0082'],
    ['a newline', `${right}\n`],
    ['blanks', ` ${right}`],
    ['a pair', `${right}, ${right}`],
    ['10 kB', right.repeat(1_700)],
    ['an astral digit', '𝟐𝟖𝟕'],
  ])('refuses %s without throwing', (_what, code) => {
    expect(isCode(code, defaultProfile)).toBe(false)
    expect(verifyCode(seed, defaultProfile, code, new Date(59_000))).toEqual({ valid: false })
  })

  it('refuses what is no code, whatever it is, and never throws', () => {
    const strange = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('²', '１', '1', '+', ' ', '\0'), minLength: 6, maxLength: 6 }),
    )
    fc.assert(
      fc.property(strange, (code) => {
        fc.pre(!/^[0-9]{6}$/.test(code))
        expect(verifyCode(seed, defaultProfile, code, new Date(59_000))).toEqual({ valid: false })
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('comparing codes', () => {
  it.each([
    ['123456', '123456', true],
    ['123456', '123457', false],
    ['123456', '1234567', false],
    ['', '', true],
  ])('%j and %j: %s', (one, other, same) => {
    expect(isSameCode(one, other)).toBe(same)
  })
})
