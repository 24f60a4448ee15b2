import { describe, expect, it } from 'vitest'
import { budgetsFor, defaultBudgets, parseBudgets } from '../../src/guards/budgets.js'

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
    expect(() => parseBudgets([budget])).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }))
  })
})
