import { TOTPError } from '../core/errors.js'
import type { Digits } from '../core/profile.js'

/** How many events are allowed in any period of that length (a sliding window). */
export interface Budget {
  readonly limit: number
  readonly seconds: number
}

/**
 * Guesses allowed per (peer, token), for codes of 6 digits. A success does not reset them: while a thief guesses, the
 * real peer succeeds all day. With a window of 1, the expected number of accepted guesses is 1.5·10⁻⁴ a day.
 */
export const defaultBudgets: readonly Budget[] = [
  { limit: 5, seconds: 30 },
  { limit: 20, seconds: 3600 },
  { limit: 50, seconds: 86_400 },
]

/** @throws {TOTPError} `ERR_CONFIG_INVALID` unless limits and lengths are whole numbers above 0. */
export function parseBudgets(budgets: readonly Budget[] = defaultBudgets): readonly Budget[] {
  for (const { limit, seconds } of budgets) {
    if ([limit, seconds].every((count) => Number.isSafeInteger(count) && count > 0)) continue
    throw new TOTPError('ERR_CONFIG_INVALID', 'limit and seconds of a budget must be whole numbers above 0')
  }
  return budgets
}

/** Budgets with the same risk for longer codes: a guess is ten times less likely to match with each digit. */
export function budgetsFor(digits: Digits, budgets: readonly Budget[]): readonly Budget[] {
  return budgets.map(({ limit, seconds }) => ({ limit: limit * 10 ** (digits - 6), seconds }))
}

/** How many of the newest events have to be kept for these budgets. */
export function memoryOf(budgets: readonly Budget[]): number {
  return Math.max(0, ...budgets.map(({ limit }) => limit))
}

/** The length of the longest budget in milliseconds: how long an event has to be kept. */
export function longestMs(budgets: readonly Budget[]): number {
  return Math.max(0, ...budgets.map(({ seconds }) => seconds * 1000))
}

/**
 * Milliseconds until one more event fits every budget; 0 if it fits now.
 *
 * @param events instants in milliseconds, oldest first
 * @param at now, in milliseconds
 */
export function waitFor(events: readonly number[], budgets: readonly Budget[], at: number): number {
  if (events.length === 0) return 0
  let free = at
  for (const { limit, seconds } of budgets) {
    // The budget is exhausted while it still covers the limit-th newest event.
    const oldestThatCounts = events[events.length - limit]
    if (oldestThatCounts !== undefined) free = Math.max(free, oldestThatCounts + seconds * 1000)
  }
  return free - at
}
