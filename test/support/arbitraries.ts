import fc from 'fast-check'
import {
  algorithms,
  digitCounts,
  longestPeriod,
  shortestPeriod,
  type CodeProfile,
} from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'

export const anySeed = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Seed.fromBytes(bytes))

export const anyCodeProfile: fc.Arbitrary<CodeProfile> = fc.record({
  algorithm: fc.constantFrom(...algorithms),
  digits: fc.constantFrom(...digitCounts),
  period: fc.integer({ min: shortestPeriod, max: longestPeriod }),
})

/** From 1970 into the 24th century. */
export const anyInstant = fc.integer({ min: 0, max: 10_000_000_000_000 }).map((ms) => new Date(ms))

/** A name that the grammar allows. */
export const anyName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)

/** How many code points are no characters, but halves of surrogate pairs, and the first of them. */
const [surrogates, firstSurrogate] = [0x800, 0xd800]

/** Any character, for `fc.string`: the same ones as `unit: 'binary'`, which takes two seconds to begin. */
export const anyCharacter = fc.integer({ min: 0, max: 0x10ffff - surrogates }).map(
  (n) => String.fromCodePoint(n < firstSurrogate ? n : n + surrogates),
  (text) => {
    const codePoint = typeof text === 'string' ? text.codePointAt(0) : undefined
    if (codePoint === undefined || text !== String.fromCodePoint(codePoint)) throw new Error('no character')
    return codePoint < firstSurrogate ? codePoint : codePoint - surrogates
  },
)
