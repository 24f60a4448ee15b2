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
