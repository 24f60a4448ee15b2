import { onlyThrottled, type CellRun } from './cell-run.js'
import { freeAttempts, guessAttempts, type Attempt } from '../checks/refusals.js'
import type { WrongCodes } from './codes.js'
import { materialNow, type Session } from './session.js'
import type { ValidCodes } from './valid-codes.js'

/** Sends again, before the valid call of a cell, what nothing but throttling came for. */
export async function askAgainBeforeValid(session: Session, run: CellRun): Promise<void> {
  if (onlyThrottled(run).length === 0) return
  await send(run, freeAttempts(session.performed, materialNow(session), 'before-valid'))
}

/**
 * Sends again, at the end of a run, what nothing but throttling came for, after the run's one wait where that was not
 * used up. A throttled wrong code was not looked at, so it is no further guess.
 */
export async function askAgainAtEnd(
  session: Session,
  runs: readonly CellRun[],
  codes: ValidCodes,
  wrongCodes: WrongCodes,
): Promise<void> {
  const throttled = runs.filter((run) => onlyThrottled(run).length > 0)
  const waits = throttled.flatMap(({ answers }) => answers.filter(({ kind }) => kind === 'throttled'))
  const longest = waits.sort((one, other) => (one.retryAfter ?? 1) - (other.retryAfter ?? 1)).at(-1)
  if (!longest || !('seconds' in (await session.throttleWait.for(longest)))) return
  const material = materialNow(session, codes.once ? await codes.next() : undefined)
  const { performed } = session
  const attempts = [
    ...freeAttempts(performed, material, 'before-valid'),
    ...freeAttempts(performed, material, 'after-valid'),
    ...guessAttempts(performed, material, wrongCodes),
  ]
  await Promise.all(throttled.map((run) => send(run, attempts)))
}

async function send(run: CellRun, attempts: readonly Attempt[]): Promise<void> {
  const unanswered = onlyThrottled(run)
  for (const attempt of attempts) {
    if (unanswered.includes(attempt.check)) await run.try(attempt, 'beside')
  }
}
