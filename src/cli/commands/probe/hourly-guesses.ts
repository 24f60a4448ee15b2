import type { ProbeReport } from '../../../probe/index.js'

/** What the next run of a watch may send. */
export type Allowance =
  | { readonly kind: 'guesses' }
  /** Everything but wrong codes. */
  | { readonly kind: 'no-guesses'; readonly reason: string }
  /** Nothing. */
  | { readonly kind: 'nothing'; readonly reason: string }

const hourMs = 3_600_000

/** A run that spent guesses. */
interface Spending {
  readonly endedMs: number
  readonly at: Date
  /** Whether it spent them on right credentials, which the agent took for wrong ones. */
  readonly refused: boolean
  readonly credentials: string
}

/**
 * Keeps a watch from spending guesses more than once an hour: a probe every minute would otherwise exhaust the budget of
 * its peer. Credentials that the agent refuses are guesses to it as well, a new one in each time step, so they are sent
 * again only after the hour, or once they are others.
 */
export class HourlyGuesses {
  #spending: Spending | undefined
  #guessed: ProbeReport | undefined

  /** The report of the last run that sent wrong codes. */
  get guessed(): ProbeReport | undefined {
    return this.#guessed
  }

  /**
   * @param nowMs of a clock that never jumps
   * @param credentials text that differs if the credentials do
   */
  next(nowMs: number, credentials: string): Allowance {
    const spending = this.#spending
    if (!spending || nowMs - spending.endedMs >= hourMs) return { kind: 'guesses' }
    const seen = hourOf(spending.at)
    if (!spending.refused) {
      return { kind: 'no-guesses', reason: `guessed at ${seen}; guesses are sent at most once an hour` }
    }
    if (spending.credentials !== credentials) return { kind: 'guesses' }
    const again = hourOf(new Date(spending.at.getTime() + hourMs))
    return {
      kind: 'nothing',
      reason: `right credentials were refused at ${seen}, which the agent counts as guesses; they are sent again at ${again}, or as soon as they change`,
    }
  }

  /** Remembers a run that has just ended, and what it was allowed. */
  note(
    report: ProbeReport,
    allowed: Allowance,
    { nowMs, at, credentials }: { nowMs: number; at: Date; credentials: string },
  ): void {
    if (report.guessesSpent === 0) return
    const called = report.checks.filter(({ id }) => id === 'auth.valid')
    const letIn = called.some(({ status }) => status === 'pass' || status === 'warn')
    const refused = allowed.kind === 'no-guesses' || (called.length > 0 && !letIn)
    this.#spending = { endedMs: nowMs, at, refused, credentials }
    if (!refused) this.#guessed = report
  }
}

/** `10:42 UTC`. */
const hourOf = (at: Date): string => `${at.toISOString().slice(11, 16)} UTC`
