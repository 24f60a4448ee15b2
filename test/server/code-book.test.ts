import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { codeGenerator, verifyCode } from '../../src/core/totp.js'
import { CodeBook } from '../../src/server/scheme/code-book.js'
import { anyCodeProfile, anySeed } from '../support/arbitraries.js'
import { peers } from '../support/guarded.js'

const { seed } = peers.alice
const startOf = (step: number, period: number): Date => new Date(step * period * 1000)

describe('the codes that are kept of a seed', () => {
  it('match what the seed itself matches, whatever time steps came before', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 8 })
    const anyStart = fc.constantFrom(0, 1, 60_000_000)
    const drifts = [0, -1, 1, -2, 2, -3, 3]
    fc.assert(
      fc.property(anySeed, anyCodeProfile, fc.integer({ min: 0, max: 2 }), anyStart, steps, (...any) => {
        const [seedOfAny, codes, window, start, turns] = any
        const profile = { ...codes, window }
        const codeAt = codeGenerator(seedOfAny, profile)
        const book = new CodeBook(seedOfAny, profile)
        for (const step of turns.map((turn) => start + turn)) {
          for (const code of drifts
            .filter((drift) => step + drift >= 0)
            .map((drift) => codeAt(step + drift))) {
            const found = verifyCode(seedOfAny, profile, code, startOf(step, profile.period))
            expect(book.match(Number(code), step)).toBe(found.valid ? found.drift : undefined)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are those of the first time steps of all too, before which there is no code', () => {
    const book = new CodeBook(seed, { ...defaultProfile, window: 2 })
    const codes = [0, 1, 2].map(codeGenerator(seed, defaultProfile)).map(Number)
    expect(codes.map((code) => book.match(code, 0))).toEqual([0, 1, 2])
    for (const code of [0, 1, 2, 999_999]) {
      expect(codes).not.toContain(code)
      expect(book.match(code, 0)).toBeUndefined()
    }
  })
})
