import { TOTPError } from '../core/errors.js'
import { isInstant } from '../core/instant.js'
import { longestMs, memoryOf, waitFor } from './budgets.js'
import {
  acceptableFrom,
  acceptableUntil,
  lifeMs,
  pairOf,
  replayed,
  throttled,
  unknown,
  type Attempt,
  type Decision,
  type State,
} from './state.js'

export interface MemoryStateOptions {
  /**
   * Since when the state has seen every attempt; by default since it was created. Under `once`, a code that may have
   * been spent before is `unknown`, for up to window + 1 periods after a restart. Pass an instant in the past if no
   * caller was accepted since then, not even before a restart.
   */
  readonly since?: Date
}

/** A state that answers without a promise. */
export interface MemoryState extends State {
  decide(attempt: Attempt): Decision
}

/** How many (peer, token) pairs with recent guesses are kept; beyond that, the oldest pair is forgotten. */
const mostGuessLogs = 100_000
const sweepEveryMs = 60_000

interface Claim {
  readonly timeStep: number
  readonly until: number
}

interface GuessLog {
  /** Instants in milliseconds, oldest first. */
  events: number[]
  timeStep: number
  /** The distinct wrong codes of that time step. Budgets keep them few. */
  codes: Set<string>
  until: number
}

/**
 * A state for one process. Its memory is bounded, and is lost when the process ends.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` when `since` is no instant.
 */
export function memoryState({ since = new Date() }: MemoryStateOptions = {}): MemoryState {
  // No instant is before an invalid date, so every code would count as known.
  if (!isInstant(since)) throw new TOTPError('ERR_CONFIG_INVALID', 'since must be a valid Date')
  let knownSince = since.getTime()
  const claims = new Map<string, Claim>()
  const guesses = new Map<string, GuessLog>()
  let nextSweep = -Infinity

  function sweep(at: number): void {
    // If a clock that was ahead is set back, the next sweep would be far in the future.
    if (at < nextSweep && at >= nextSweep - sweepEveryMs) return
    nextSweep = at + sweepEveryMs
    for (const entries of [claims, guesses]) {
      for (const [key, { until }] of entries) if (until <= at) entries.delete(key)
    }
  }

  function count(attempt: Attempt, code: string, at: number): Decision {
    const key = pairOf(attempt.peer, attempt.tokenHash)
    const log = guesses.get(key) ?? { events: [], timeStep: attempt.timeStep, codes: new Set(), until: 0 }
    if (log.timeStep !== attempt.timeStep) {
      log.timeStep = attempt.timeStep
      log.codes = new Set()
    }
    if (attempt.budgets.length === 0 || log.codes.has(code)) return { kind: 'wrong', tripped: false }

    log.codes.add(code)
    // The log stays sorted, even if the clock was set back.
    log.events.push(Math.max(at, log.events.at(-1) ?? at))
    log.events = log.events.slice(-memoryOf(attempt.budgets))
    log.until = at + longestMs(attempt.budgets)
    guesses.set(key, log)
    if (guesses.size > mostGuessLogs) forgetOldest(guesses)
    return { kind: 'wrong', tripped: waitFor(log.events, attempt.budgets, at) > 0 }
  }

  function claim(attempt: Attempt, seedId: string, timeStep: number): Decision {
    const key = pairOf(attempt.peer, seedId)
    const last = claims.get(key)?.timeStep ?? -Infinity
    if (timeStep <= last) return replayed(attempt, last)
    // A beginning far in the future comes from a clock that was wrong.
    const at = attempt.at.getTime()
    if (knownSince > at + lifeMs(attempt)) knownSince = at
    if (acceptableFrom(attempt, timeStep) < knownSince) return unknown(attempt, knownSince)
    claims.set(key, { timeStep, until: acceptableUntil(attempt, timeStep) })
    return { kind: 'accepted' }
  }

  return {
    supports: { once: true },
    // Nothing here is awaited, so the decision is atomic.
    decide(attempt) {
      const at = attempt.at.getTime()
      sweep(at)
      // Usually there are no recent guesses, and no key has to be built.
      const log = guesses.size > 0 ? guesses.get(pairOf(attempt.peer, attempt.tokenHash)) : undefined
      const wait = log ? waitFor(log.events, attempt.budgets, at) : 0
      if (wait > 0) return throttled(wait)
      const { comparison, policy } = attempt
      if (comparison.kind === 'guess') return count(attempt, comparison.code, at)
      if (policy === 'reuse') return { kind: 'accepted' }
      return claim(attempt, comparison.seedId, comparison.timeStep)
    },
  }
}

function forgetOldest(entries: Map<string, unknown>): void {
  for (const key of entries.keys()) {
    entries.delete(key)
    return
  }
}
