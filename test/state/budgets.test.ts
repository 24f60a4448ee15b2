import { describe, expect, it } from 'vitest'
import {
  budgetsFor,
  defaultBudgets,
  longestMs,
  memoryOf,
  parseBudgets,
  waitFor,
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
  ])('refuse $limit in $seconds s', (budget) => {
    for (const budgets of [[budget], [...defaultBudgets, budget]]) {
      expect(failureOf(() => parseBudgets(budgets)).code).toBe('ERR_CONFIG_INVALID')
    }
  })

  it('take any whole numbers from 1 on, and those of the box where nothing is said', () => {
    const least = [{ limit: 1, seconds: 1 }]
    expect(parseBudgets(least)).toBe(least)
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
