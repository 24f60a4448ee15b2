import type { CellRun } from './cell-run.js'
import type { WrongCodes } from './codes.js'
import type { Attempt, Exchange } from './exchange.js'
import { tryDoorsAgain, untoldDoors } from './doors.js'
import { materialNow } from './material.js'
import { openAfterSuccess, openIn } from './reading.js'
import { repeatAfterSuccess } from './repeat.js'
import type { Session } from './session.js'
import type { ValidCodes } from './valid-codes.js'

/** Before the valid call of a cell, sends again what was only throttled so far. */
export async function askAgainBeforeValid(session: Session, run: CellRun): Promise<void> {
  if (openIn(run).length === 0) return
  await sendUnanswered(run, session.plan.freeRefusals('before-valid', materialNow(session)))
}

/**
 * At the end of a run, sends again what was only throttled so far, after the run's one wait if that was not used up. The
 * agent did not look at a throttled wrong code, so sending it again is not another guess.
 */
export async function askAgainAtEnd(
  session: Session,
  runs: readonly CellRun[],
  codes: ValidCodes,
  wrongCodes: WrongCodes,
): Promise<void> {
  const { plan, throttleWait } = session
  const throttled = runs.filter((run) =>
    [openIn, openAfterSuccess, untoldDoors].some((of) => of(run).length > 0),
  )
  const answers = throttled.flatMap(({ exchanges }) => exchanges.map(({ answer }) => answer))
  const waits = answers.filter(({ kind }) => kind === 'throttled')
  const longest = waits.sort((one, other) => (one.retryAfter ?? 1) - (other.retryAfter ?? 1)).at(-1)
  if (!longest || !('seconds' in (await throttleWait.for(longest)))) return
  const material = materialNow(session, codes.once ? await codes.next() : undefined)
  const attempts = [
    ...plan.freeRefusals('before-valid', material),
    ...plan.freeRefusals('late', material),
    ...plan.guesses(material, wrongCodes),
  ]
  const again = plan.freeRefusals('before-valid', material).filter((one) => one.again)
  await Promise.all(
    throttled.map(async (run) => {
      const open = openAfterSuccess(run)
      if (open.length > 0) await repeatAfterSuccess(run, among(open, again))
      await sendUnanswered(run, attempts)
      await tryDoorsAgain(session, run)
    }),
  )
}

async function sendUnanswered(run: CellRun, attempts: readonly Attempt[]): Promise<void> {
  await run.tryAll('asked-again', among(openIn(run), attempts))
}

const among = (open: readonly Exchange[], attempts: readonly Attempt[]): Attempt[] =>
  attempts.filter(({ check, label }) => open.some((one) => one.check === check && one.label === label))
