import { TOTPError } from '../core/errors.js'
import { isInstant } from '../core/instant.js'
import { longestMs } from './budgets.js'
import { CodesAhead } from './codes-ahead.js'
import { GuessLog } from './guess-log.js'
import { defaultMostNonces, defaultMostNoncesInAll, SpentNonces } from './nonces.js'
import {
  acceptableFrom,
  claimKeptMs,
  full,
  lifeMs,
  replayed,
  throttled,
  unknown,
  unknownProof,
  type Attempt,
  type Comparison,
  type Decision,
  type LateCode,
  type SpentProof,
  type State,
} from './state.js'

export interface MemoryStateOptions {
  /**
   * Since when the state has seen every attempt; by default since it was created. Under `once`, a code that may have
   * been spent before is `unknown`, for up to window + 1 periods after a restart. So is a proof created before the second
   * of that instant. Pass an instant in the past if no caller was accepted since then, not even before a restart.
   */
  readonly since?: Date
  /**
   * How many nonces of signed requests are remembered at most for each seed, by default 120,000: with the default profile,
   * at least 1,300 signed requests a second if the peer's clock is right. Beyond that its signed requests are refused (503).
   */
  readonly mostNonces?: number
  /** The same for all seeds together, by default 480,000, which take about 40 MB. */
  readonly mostNoncesInAll?: number
}

/** A state that answers without a promise. */
export interface MemoryState extends State {
  decide(attempt: Attempt): Decision
  takeBack(attempt: Attempt, late: LateCode): boolean
}

const sweepEveryMs = 60_000

/** After both instants nothing of an entry matters any more: by the scheme's clock, and by the uptime of this process. */
interface Kept {
  until: number
  untilUptime: number
}

/** The newest time step of a seed that was spent. */
interface Claim extends Kept {
  timeStep: number
}

interface Guesses extends Kept {
  readonly log: GuessLog
  timeStep: number
  /** The distinct wrong codes of that time step, late ones included. */
  codes: Set<string>
}

/**
 * A state for one process. It is lost when the process ends. Its memory is bounded by the number of seeds, and by the
 * bounds on nonces, which only callers with a seed can fill.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` when `since` is no instant, or a bound no whole number above 0.
 */
export function memoryState({
  since = new Date(),
  mostNonces = defaultMostNonces,
  mostNoncesInAll = defaultMostNoncesInAll,
}: MemoryStateOptions = {}): MemoryState {
  // No instant is before an invalid date, so every code would count as known.
  if (!isInstant(since)) throw new TOTPError('ERR_CONFIG_INVALID', 'since must be a valid Date')
  let knownSince = since.getTime()
  /** By seed, as the guesses are. */
  const claims = new Map<string, Claim>()
  const guesses = new Map<string, Guesses>()
  const nonces = new SpentNonces({ perSeed: mostNonces, inAll: mostNoncesInAll })
  const ahead = new CodesAhead()
  let nextSweep = -Infinity

  function sweep(at: number): void {
    const uptime = performance.now()
    if (uptime < nextSweep) return
    nextSweep = uptime + sweepEveryMs
    for (const entries of [claims, guesses]) {
      for (const [seed, { until, untilUptime }] of entries) {
        if (until <= at && untilUptime <= uptime) entries.delete(seed)
      }
    }
    nonces.sweep(at)
    ahead.sweep(at)
  }

  function guessesAt(seed: string): Guesses {
    const known = guesses.get(seed)
    if (known) return known
    const none = { log: new GuessLog(), timeStep: NaN, codes: new Set<string>(), until: 0, untilUptime: 0 }
    guesses.set(seed, none)
    return none
  }

  /** Milliseconds until no budget of any of the seeds is exhausted. */
  function waitOf(attempt: Attempt): number {
    let wait = 0
    for (const seed of attempt.seeds) wait = Math.max(wait, guesses.get(seed)?.log.waitFor(attempt) ?? 0)
    return wait
  }

  function count(attempt: Attempt, code: string): Decision {
    const [first] = attempt.seeds
    if (first === undefined || attempt.budgets.length === 0) {
      return { kind: 'wrong', counted: false, tripped: false }
    }
    const sent = guessesAt(first)
    if (sent.timeStep !== attempt.timeStep) {
      sent.timeStep = attempt.timeStep
      sent.codes = new Set()
    }
    if (sent.codes.has(code)) return { kind: 'wrong', counted: false, tripped: false }

    sent.codes.add(code)
    for (const seed of attempt.seeds) {
      const entry = guessesAt(seed)
      entry.log.add(attempt, guessId(attempt, code))
      keep(entry, longestMs(attempt.budgets), attempt.at)
    }
    return { kind: 'wrong', counted: true, tripped: waitOf(attempt) > 0 }
  }

  function claim(attempt: Attempt, { seed, timeStep }: Match): Decision {
    const last = claims.get(seed)
    if (attempt.policy === 'reuse') {
      // For when the policy becomes `once`.
      if (!last || timeStep > last.timeStep) spend(attempt, seed, timeStep, last)
      return { kind: 'accepted' }
    }
    if (last && timeStep <= last.timeStep) return replayed(attempt, last.timeStep)
    const begun = beginning(attempt)
    if (acceptableFrom(attempt, timeStep) < begun) return unknown(attempt, begun)
    spend(attempt, seed, timeStep, last)
    return { kind: 'accepted' }
  }

  function spendNonce(attempt: Attempt, { seed, timeStep }: Match, proof: SpentProof): Decision {
    const spending = nonces.spend(attempt, seed, proof, Math.floor(beginning(attempt) / 1000))
    switch (spending.kind) {
      case 'replayed':
        return { kind: 'replayed' }
      case 'unknown':
        return unknownProof(attempt, spending.knownFrom)
      case 'full':
        return full(attempt, spending.roomFrom)
      case 'spent': {
        const last = claims.get(seed)
        spend(attempt, seed, Math.max(timeStep, last?.timeStep ?? timeStep), last)
        return { kind: 'accepted' }
      }
    }
  }

  /** When the memory begins, in milliseconds. A beginning far in the future comes from a clock that was wrong. */
  function beginning(attempt: Attempt): number {
    const at = attempt.at.getTime()
    if (knownSince > at + lifeMs(attempt)) knownSince = at
    return knownSince
  }

  function spend(attempt: Attempt, seed: string, timeStep: number, last: Claim | undefined): void {
    const spent = last ?? { timeStep, until: 0, untilUptime: 0 }
    spent.timeStep = timeStep
    keep(spent, lifeMs(attempt) + claimKeptMs, attempt.at)
    claims.set(seed, spent)
  }

  return {
    supports: { once: true, proofs: true },
    // Nothing here is awaited, so the decision is atomic.
    decide(attempt) {
      sweep(attempt.at.getTime())
      const { comparison, proof } = attempt
      if (proof && comparison.kind === 'match') return spendNonce(attempt, comparison, proof)
      // Usually there are no recent guesses.
      const wait = guesses.size > 0 ? waitOf(attempt) : 0
      if (wait > 0) return throttled(wait)
      return comparison.kind === 'guess' ? count(attempt, comparison.code) : claim(attempt, comparison)
    },
    takeBack(attempt, late) {
      const { comparison, peer, seeds, token, at } = attempt
      if (comparison.kind !== 'guess') return false
      // Of the peer at this agent: another agent's peer may have the same name.
      const [first = ''] = seeds
      if (late.drift > 0 && !ahead.expected(`${first} ${peer}`, late, at.getTime())) return false
      for (const seed of seeds) guesses.get(seed)?.log.remove(guessId(attempt, comparison.code), token)
      return true
    },
  }
}

type Match = Extract<Comparison, { kind: 'match' }>

function guessId({ timeStep }: Attempt, code: string): string {
  return `${timeStep} ${code}`
}

/** Only ever prolongs. */
function keep(entry: Kept, ms: number, at: Date): void {
  entry.until = Math.max(entry.until, at.getTime() + ms)
  entry.untilUptime = Math.max(entry.untilUptime, performance.now() + ms)
}
