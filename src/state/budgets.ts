import { TOTPError } from '../core/errors.js'
import { digitCounts, type Digits, type TOTPProfile } from '../core/profile.js'

/** How many events are allowed in any period of that length (a sliding window). */
export interface Budget {
  readonly limit: number
  readonly seconds: number
}

/** What the chance of a guess depends on. */
export type GuessedProfile = Pick<TOTPProfile, 'digits' | 'window'>

/** The expected number of accepted guesses a day of one seed, unless a scheme is told otherwise: one in 18 years. */
export const defaultRisk = 1.5e-4

const daySeconds = 86_400
/** A client that restarts may send a few wrong codes; no limit is below this, unless that of a whole day is. */
const leastInShort = 5

/** Returns the chance that one guess matches a code of a seed: each time step of the window has one that does. */
export function chanceOfGuess({ digits, window }: GuessedProfile): number {
  return (2 * window + 1) / 10 ** digits
}

/** Returns how many guesses a day have at most this risk together: a whole number, or Infinity. */
function guessesWithin(risk: number, profile: GuessedProfile): number {
  // 1.5e-4 / 3e-6 is 49.99…: rounding errors are far below one part in 10¹².
  return Math.floor((risk / chanceOfGuess(profile)) * (1 + 1e-12))
}

/**
 * Returns the limits on guesses at one seed, so that the expected number of accepted ones is at most `risk` a day. A day
 * has risk / chance of a guess, an hour 40 % of that, 30 s 10 %; neither of these is below 5, nor above the day's.
 *
 * A success does not reset them: while a thief guesses, the real peer succeeds all day.
 *
 * @param risk above 0. Infinity returns no limits.
 * @throws {TOTPError} `ERR_CONFIG_INVALID` when the risk allows not even one guess a day
 */
export function limitsFor(profile: GuessedProfile, risk: number = defaultRisk): readonly Budget[] {
  const day = guessesWithin(risk, profile)
  if (day < 1) throw noGuessAllowed(profile, risk)
  // There are fewer codes than that.
  if (!Number.isSafeInteger(day)) return []
  const atMostADay = (limit: number): number => Math.min(Math.max(Math.floor(limit), leastInShort), day)
  return [
    { limit: atMostADay(day / 10), seconds: 30 },
    { limit: atMostADay((day * 4) / 10), seconds: 3600 },
    { limit: day, seconds: daySeconds },
  ]
}

/** The limits with 6 digits, a window of 1 and the default risk. */
export const defaultBudgets: readonly Budget[] = limitsFor({ digits: 6, window: 1 })

/** Returns how many guesses a day budgets allow: what the strictest of them does. Infinity without any. */
export function guessesADay(budgets: readonly Budget[]): number {
  return Math.min(...budgets.map(({ limit, seconds }) => limit * Math.ceil(daySeconds / seconds)))
}

/** Returns the expected number of accepted guesses a day of one seed. */
export function riskOf(budgets: readonly Budget[], profile: GuessedProfile): number {
  return (guessesADay(budgets) * (2 * profile.window + 1)) / 10 ** profile.digits
}

/** How guesses at a seed are limited: by the risk alone, or by budgets for 6 digits that keep within it. */
export interface GuessLimits {
  readonly risk?: number | undefined
  readonly budgets?: readonly Budget[] | undefined
}

/**
 * Returns the budgets of a peer by the digits of its codes.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a risk that is not a number above 0, and for budgets that are not valid or
 *   allow more than the risk; the function that it returns throws it where not even one guess a day is allowed
 */
export function budgetsByDigits(
  { risk = defaultRisk, budgets }: GuessLimits,
  window: number,
): (digits: Digits) => readonly Budget[] {
  if (typeof risk !== 'number' || !(risk > 0)) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'throttle.risk must be a number above 0: the expected accepted guesses a day of one seed',
    )
  }
  const given = budgets && parseBudgets(budgets)
  if (given) requireWithin(risk, given, window)
  // Made once for each: with many peers, copies would be most of a server's memory.
  const made = new Map<Digits, readonly Budget[]>()
  return (digits) => {
    const known =
      made.get(digits) ?? (given ? budgetsFor(digits, given) : limitsFor({ digits, window }, risk))
    made.set(digits, known)
    return known
  }
}

/** Further digits change nothing: limits and codes are ten times as many with each. */
function requireWithin(risk: number, budgets: readonly Budget[], window: number): void {
  const profile = { digits: 6, window } as const
  if (guessesADay(budgets) <= guessesWithin(risk, profile)) return
  const result = riskOf(budgets, profile)
  const allowed = result === Infinity ? 'any number of guesses' : `${shownUp(result)} accepted guesses a day`
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    `these budgets allow ${allowed}, more than risk ${shown(risk)}; ` +
      `lower the limits, or set throttle.risk to at least ${shownUp(result)}`,
  )
}

function noGuessAllowed(profile: GuessedProfile, risk: number): TOTPError {
  const { digits, window } = profile
  const enough = digitCounts.find((count) => guessesWithin(risk, { digits: count, window }) >= 1)
  return new TOTPError(
    'ERR_CONFIG_INVALID',
    `risk ${shown(risk)} allows not even one guess a day with ${digits} digits and window ${window}; use ` +
      `${enough === undefined ? '' : `${enough} digits, or `}a smaller window, or set throttle.risk to at least ` +
      shownUp(chanceOfGuess(profile)),
  )
}

/** A number as one would write it in code. */
function shown(value: number): string {
  return value < 1 ? value.toExponential() : String(value)
}

/** With two significant digits, rounded up, so that it is enough when somebody copies it. */
function shownUp(value: number): string {
  const near = value.toExponential(1)
  if (Number(near) >= value * (1 - 1e-12)) return shown(Number(near))
  const [mantissa = '', exponent = ''] = near.split('e')
  return shown(Number(`${Math.round(Number(mantissa) * 10) + 1}e${Number(exponent) - 1}`))
}

/** Far beyond any use, and small enough that instants, counts and their sums stay exact in Redis too. */
const mostOfBudget = 1e9

/** @throws {TOTPError} `ERR_CONFIG_INVALID` unless limits and lengths are whole numbers from 1 to 10⁹. */
export function parseBudgets(budgets: readonly Budget[] = defaultBudgets): readonly Budget[] {
  for (const { limit, seconds } of budgets) {
    if ([limit, seconds].every((count) => Number.isInteger(count) && count > 0 && count <= mostOfBudget))
      continue
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'limit and seconds of a budget must be whole numbers above 0, and at most 1000000000',
    )
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
  let free = at
  for (const { limit, seconds } of budgets) {
    // The budget is exhausted while it still covers the limit-th newest event.
    const oldestThatCounts = events[events.length - limit]
    if (oldestThatCounts !== undefined) free = Math.max(free, oldestThatCounts + seconds * 1000)
  }
  return free - at
}
