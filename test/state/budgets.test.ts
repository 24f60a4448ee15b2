import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digitCounts } from '../../src/core/profile.js'
import {
  budgetsByDigits,
  budgetsFor,
  chanceOfGuess,
  defaultBudgets,
  defaultRisk,
  guessesADay,
  limitsFor,
  longestMs,
  memoryOf,
  parseBudgets,
  riskOf,
  waitFor,
  type Budget,
} from '../../src/state/budgets.js'
import { failureOf } from '../support/failure.js'

describe('budgets', () => {
  it.each([
    [6, [5, 20, 50]],
    [7, [50, 200, 500]],
    [8, [500, 2000, 5000]],
  ] as const)('allow the same risk with %i digits', (digits, limits) => {
    const scaled = budgetsFor(digits, defaultBudgets)
    expect(scaled.map(({ limit }) => limit)).toEqual(limits)
    expect(scaled.map(({ seconds }) => seconds)).toEqual([30, 3600, 86_400])
  })

  it.each([
    { limit: 0, seconds: 30 },
    { limit: 5, seconds: 0 },
    { limit: 1.5, seconds: 30 },
    { limit: NaN, seconds: 30 },
    { limit: 5, seconds: Infinity },
    { limit: 1e9 + 1, seconds: 30 },
    { limit: 5, seconds: 1e9 + 1 },
  ])('refuse $limit in $seconds s', (budget) => {
    for (const budgets of [[budget], [...defaultBudgets, budget]]) {
      expect(failureOf(() => parseBudgets(budgets)).code).toBe('ERR_CONFIG_INVALID')
    }
  })

  it('take any whole numbers from 1 to 10⁹, and those of the box where nothing is said', () => {
    for (const count of [1, 1e9]) {
      const given = [{ limit: count, seconds: count }]
      expect(parseBudgets(given)).toBe(given)
    }
    expect(parseBudgets()).toBe(defaultBudgets)
    expect(parseBudgets([])).toEqual([])
  })

  it('remember as much, and for as long, as the largest of them needs', () => {
    expect([memoryOf(defaultBudgets), longestMs(defaultBudgets)]).toEqual([50, 86_400_000])
    expect([memoryOf([]), longestMs([])]).toEqual([0, 0])
  })

  it('make one wait for the fullest of them', () => {
    const budgets = [
      { limit: 2, seconds: 10 },
      { limit: 3, seconds: 100 },
    ]
    expect(waitFor([], budgets, 5000)).toBe(0)
    expect(waitFor([0], budgets, 5000)).toBe(0)
    expect(waitFor([0, 1000], budgets, 5000)).toBe(5000)
    expect(waitFor([0, 1000], budgets, 10_000)).toBe(0)
    expect(waitFor([0, 1000, 20_000], budgets, 20_000)).toBe(80_000)
    expect(waitFor([0, 1000, 2000], [], 2000)).toBe(0)
  })
})

const limitsOf = (budgets: readonly Budget[]): number[] => budgets.map(({ limit }) => limit)

describe('the limits that follow from a risk', () => {
  it.each([
    [6, 0, [15, 60, 150]],
    [6, 1, [5, 20, 50]],
    [6, 2, [5, 12, 30]],
    [7, 1, [50, 200, 500]],
    [8, 0, [1500, 6000, 15_000]],
    [8, 1, [500, 2000, 5000]],
    [8, 2, [300, 1200, 3000]],
    // With allowInsecureWindow: a few guesses are left for a person who types, and none more than a day has.
    [6, 20, [3, 3, 3]],
    [6, 74, [1, 1, 1]],
    [8, 120, [6, 24, 62]],
  ] as const)('with %i digits and window %i are %j', (digits, window, limits) => {
    const budgets = limitsFor({ digits, window })
    expect(limitsOf(budgets)).toEqual(limits)
    expect(budgets.map(({ seconds }) => seconds)).toEqual([30, 3600, 86_400])
  })

  it('are those of the box with its digits, window and risk', () => {
    expect(limitsFor({ digits: 6, window: 1 }, defaultRisk)).toEqual(defaultBudgets)
    expect(riskOf(defaultBudgets, { digits: 6, window: 1 })).toBeCloseTo(1.5e-4, 12)
  })

  const anyProfile = fc.record({ digits: fc.constantFrom(...digitCounts), window: fc.nat(120) })
  /** From one in a hundred million years to more than anyone tries. */
  const anyRisk = fc.double({ min: -10.5, max: 3, noNaN: true }).map((exponent) => 10 ** exponent)
  const refusalOf = (make: () => unknown): string | undefined => {
    try {
      make()
      return undefined
    } catch {
      return failureOf(make).message
    }
  }

  it('never allow more than the risk, and one more guess would', () => {
    fc.assert(
      fc.property(anyProfile, anyRisk, (profile, risk) => {
        if (chanceOfGuess(profile) > risk * (1 + 1e-12)) {
          expect(failureOf(() => limitsFor(profile, risk)).code).toBe('ERR_CONFIG_INVALID')
          return
        }
        const budgets = limitsFor(profile, risk)
        const [short = 0, hour = 0, day = 0] = limitsOf(budgets)
        expect(riskOf(budgets, profile)).toBeLessThanOrEqual(risk * (1 + 1e-11))
        expect((day + 1) * chanceOfGuess(profile)).toBeGreaterThan(risk)
        expect(guessesADay(budgets)).toBeLessThanOrEqual(day)
        expect(short).toBeGreaterThanOrEqual(Math.min(5, day))
        expect(short).toBeLessThanOrEqual(hour)
        expect(hour).toBeLessThanOrEqual(day)
        expect([short, hour, day].every(Number.isSafeInteger)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('grow with the risk and the digits, and shrink with the window', () => {
    fc.assert(
      fc.property(
        anyProfile,
        anyRisk,
        fc.double({ min: 1, max: 100, noNaN: true }),
        (profile, risk, more) => {
          const { digits, window } = profile
          if (refusalOf(() => limitsFor(profile, risk)) !== undefined) return
          const limits = limitsOf(limitsFor(profile, risk))
          const noLower = (others: readonly number[]): void =>
            limits.forEach((limit, index) => expect(others[index]).toBeGreaterThanOrEqual(limit))
          noLower(limitsOf(limitsFor(profile, risk * more)))
          if (window > 0) noLower(limitsOf(limitsFor({ digits, window: window - 1 }, risk)))
          if (digits === 6) noLower(limitsOf(limitsFor({ digits: 7, window }, risk)))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('are none without a bound on the risk', () => {
    expect(limitsFor({ digits: 6, window: 2 }, Infinity)).toEqual([])
  })

  it('are refused where not even one guess a day is left, with what would be right', () => {
    const { code, message } = failureOf(() => limitsFor({ digits: 6, window: 120 }))
    expect(code).toBe('ERR_CONFIG_INVALID')
    expect(message).toBe(
      'risk 1.5e-4 allows not even one guess a day with 6 digits and window 120; ' +
        'use 7 digits, or a smaller window, or set throttle.risk to at least 2.5e-4',
    )
    const justOne = failureOf(() => limitsFor({ digits: 6, window: 1 }, 3e-7)).message
    expect(justOne).toContain('use 7 digits, or a smaller window, or set throttle.risk to at least 3e-6')
    const longest = failureOf(() => limitsFor({ digits: 8, window: 120 }, 1e-9)).message
    expect(longest).toContain('use a smaller window, or set throttle.risk to at least 2.5e-6')
  })

  it('are refused with the name of a risk that is enough', () => {
    const anyBudget = fc.record({
      limit: fc.integer({ min: 1, max: 1e6 }),
      seconds: fc.integer({ min: 1, max: 2e5 }),
    })
    let named = 0
    fc.assert(
      fc.property(
        anyProfile,
        anyRisk,
        fc.option(fc.array(anyBudget, { maxLength: 3 }), { nil: undefined }),
        ({ digits, window }, risk, budgets) => {
          const tryWith = (enough: number) => () => budgetsByDigits({ risk: enough, budgets }, window)(digits)
          const needed = / at least (\S+)$/.exec(refusalOf(tryWith(risk)) ?? '')?.[1]
          if (needed === undefined) return
          named += 1
          expect(Number(needed)).toBeGreaterThan(risk)
          expect(refusalOf(tryWith(Number(needed)))).toBeUndefined()
        },
      ),
      { numRuns: 1000 },
    )
    expect(named).toBeGreaterThan(100)
  })
})

describe('budgets that were given', () => {
  const limits = (given: Parameters<typeof budgetsByDigits>[0], window = 1): number[] =>
    limitsOf(budgetsByDigits(given, window)(8))

  it('apply as they are, ten times as many with each further digit', () => {
    expect(limits({ budgets: [{ limit: 3, seconds: 3600 }] }, 0)).toEqual([300])
    expect(limits({ risk: Infinity, budgets: [{ limit: 3, seconds: 1 }] })).toEqual([300])
    expect(limits({ risk: Infinity, budgets: [] })).toEqual([])
    expect(limits({})).toEqual([500, 2000, 5000])
    expect(limits({ risk: 3e-4 })).toEqual([1000, 4000, 10_000])
  })

  it('allow as many guesses a day as the strictest of them', () => {
    expect(guessesADay([])).toBe(Infinity)
    expect(guessesADay(defaultBudgets)).toBe(50)
    expect(guessesADay([{ limit: 2, seconds: 50_000 }])).toBe(4)
    expect(guessesADay([{ limit: 2, seconds: 1e6 }])).toBe(2)
  })

  it.each([
    [[{ limit: 1, seconds: 9 }], '2.9e-2 accepted guesses a day', '2.9e-2'],
    [[{ limit: 51, seconds: 86_400 }], '1.6e-4 accepted guesses a day', '1.6e-4'],
    [[{ limit: 10_000, seconds: 1 }], '2600 accepted guesses a day', '2600'],
    [[], 'any number of guesses', 'Infinity'],
  ])('and are refused where they allow more than the risk: %j', (budgets, allowed, needed) => {
    const { code, message } = failureOf(() => budgetsByDigits({ budgets }, 1))
    expect(code).toBe('ERR_CONFIG_INVALID')
    expect(message).toBe(
      `these budgets allow ${allowed}, more than risk 1.5e-4; lower the limits, or set throttle.risk to at least ${needed}`,
    )
  })

  it('are refused with the risk as one would write it', () => {
    const refused = (risk: number): string =>
      failureOf(() => budgetsByDigits({ risk, budgets: [] }, 1)).message
    expect(refused(1)).toContain('more than risk 1;')
    expect(refused(0.5)).toContain('more than risk 5e-1;')
  })

  it('are held against the window', () => {
    expect(limits({ budgets: defaultBudgets }, 1)).toEqual([500, 2000, 5000])
    expect(failureOf(() => budgetsByDigits({ budgets: defaultBudgets }, 2)).message).toContain('2.5e-4')
  })

  it.each([0, -1, NaN, '1', null])('need a risk above 0, not %j', (risk) => {
    const make = (): unknown => budgetsByDigits({ risk: risk as number, budgets: defaultBudgets }, 1)
    expect(failureOf(make).code).toBe('ERR_CONFIG_INVALID')
    expect(failureOf(make).message).toMatch(/^throttle\.risk must be a number above 0/)
  })
})
