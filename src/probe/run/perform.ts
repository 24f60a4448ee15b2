import type { CardJson } from '../../core/card/shapes.js'
import { askAgainAtEnd } from './ask-again.js'
import { CellRun, isSuccess } from './cell-run.js'
import type { Cell } from '../target/cells.js'
import { freeAttempts, isLate } from '../checks/refusals.js'
import { diagnose, type Diagnosis } from '../checks/diagnosis.js'
import { freshWrongCodes, guess } from './guessing.js'
import { isExposed } from '../target/hosts.js'
import { scan, type Scans } from './scans.js'
import { materialNow, type Session } from './session.js'
import { callAllValid } from './valid-calls.js'
import { ValidCodes } from './valid-codes.js'

export interface Performed {
  readonly runs: readonly CellRun[]
  /** Distinct wrong codes sent with the live token. */
  readonly guessesSpent: number
  /** Why no code of another peer was sent. */
  readonly noCrossPeer: string
  readonly scans: Scans
  readonly diagnosis: Diagnosis | undefined
}

/**
 * Sends everything, in the order that spares the agent's limits and tells most. First the refusals that matter most,
 * while nothing has succeeded yet; they are few, because to an agent that does not know the token each of them is a
 * stranger's. Then the valid calls with the same refusals after each, then the many refusals that spend no guess,
 * and the guesses last. Each of these ends in every cell before the next begins in any; in itself the cells go side
 * by side, each on connections of its own.
 */
export async function perform(
  session: Session,
  cells: readonly Cell[],
  cards: readonly CardJson[],
): Promise<Performed> {
  const { options, client, performed } = session
  const runs = cells.map((cell) => new CellRun(cell, client, options.random))
  const testable = runs.filter(({ cell }) => cell.untestable === undefined)
  const trusted = testable.filter(({ cell }) => options.insecureHttp === true || !isExposed(cell.url))
  for (const run of testable) {
    if (trusted.includes(run)) continue
    run.whyNotSent =
      'nothing authenticated is sent over plain http beyond loopback; allow it with --insecure-http'
  }
  await Promise.all(testable.map((run) => sendFree(session, run, trusted.includes(run))))
  const codes = new ValidCodes({ ...session, credentials: options.credentials, now: options.now })
  if (performed.has('auth.valid')) await callAllValid(session, trusted, codes)
  const guessable = letIn(trusted)
  await sendLate(session, guessable, codes)
  const wrongCodes = await freshWrongCodes(session, guessable)
  const spent = await guess(session, guessable, wrongCodes)
  await askAgainAtEnd(session, guessable, codes, wrongCodes)
  const scans = await scan(session, guessable, spent, codes.once)
  const diagnosis = await diagnose(session, trusted, cards)
  // A right code that was refused is a wrong one to the agent, unless it did not look at it as a code.
  const looked = guessable.length === 0 && diagnosis?.confirmed === undefined
  if (looked) for (const code of codes.refused) spent.add(code)
  return { runs, guessesSpent: spent.size, noCrossPeer: wrongCodes.noCrossPeer, scans, diagnosis }
}

async function sendFree(session: Session, run: CellRun, trusted: boolean): Promise<void> {
  for (const attempt of freeAttempts(session.performed, materialNow(session), 'before-valid')) {
    if (trusted || attempt.fields.length === 0) await run.try(attempt, 'beside')
  }
}

/** Variants of a valid call: under `once` of one that was not made, since what is spent is refused in any form. */
async function sendLate(session: Session, runs: readonly CellRun[], codes: ValidCodes): Promise<void> {
  const isNeeded = runs.length > 0 && [...session.performed].some(isLate)
  const unspent = isNeeded && codes.once ? await codes.next() : undefined
  const send = async (run: CellRun): Promise<void> => {
    for (const attempt of freeAttempts(session.performed, materialNow(session, unspent), 'after-valid')) {
      await run.try(attempt, 'beside')
    }
  }
  await Promise.all(runs.map(send))
}

/** Where right credentials are not let in, nearly right ones would show nothing, and a guess is never sent. */
function letIn(runs: readonly CellRun[]): CellRun[] {
  return runs.filter((run) => {
    const shown = run.valid !== undefined && isSuccess(run.valid, run)
    if (!shown) run.whyNotSent = 'not sent: where right credentials are not let in, wrong ones show nothing'
    return shown
  })
}
