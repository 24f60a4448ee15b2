import type { CellRun } from './cell-run.js'
import { untilNextStep, wrongCodesAt, type WrongCodes } from './codes.js'
import { materialNow } from './material.js'
import type { Session } from './session.js'

/** The last part of a step, in which no guess is planned, in milliseconds. */
const spareMs = 1000
/** The most requests with a wrong code in one cell. */
const guessesPerCell = 6

/** The wrong codes of a step that has enough time left for all guesses, after a wait if necessary. */
export async function freshWrongCodes(session: Session, runs: readonly CellRun[]): Promise<WrongCodes> {
  const { options } = session
  if (runs.length > 0 && options.noGuesses === undefined) await awaitRoomInStep(session, runs, guessesPerCell)
  return wrongCodesAt(options, options.now())
}

/** Waits for a new time step unless that many requests per cell fit into the rest of this one at the pace so far. */
export async function awaitRoomInStep(
  { options, sleep, announce, pace }: Session,
  runs: readonly CellRun[],
  requests: number,
): Promise<void> {
  const durations = runs.flatMap(({ exchanges }) => exchanges.map(({ answer }) => answer.durationMs))
  const mean = durations.reduce((sum, one) => sum + one, 0) / Math.max(durations.length, 1)
  const leftMs = untilNextStep(options.credentials, options.now())
  if (leftMs >= spareMs + pace.timeFor(requests, runs.length, mean)) return
  if (leftMs > spareMs) announce(`waiting ${Math.ceil(leftMs / 1000)} s for a fresh time step`)
  await sleep(leftMs, 'a fresh time step')
}

/**
 * Sends the wrong codes to every cell, one code after the other: an agent that takes fewer of them then looks at the same
 * ones in each cell, and those that it throttled are few enough for another step.
 */
export async function guess(session: Session, runs: readonly CellRun[], codes: WrongCodes): Promise<void> {
  const { plan, options, spent } = session
  if (options.noGuesses !== undefined) {
    for (const run of runs) run.whyNotSent = options.noGuesses
    return
  }
  const guesses = plan.guesses(materialNow(options), codes)
  const repeats = plan.performed.has('auth.after-valid')
  for (const code of new Set(guesses.map(({ guess }) => guess))) {
    if (runs.length > 0 && code !== undefined) spent.add(code)
    const ofCode = guesses.filter((attempt) => attempt.guess === code)
    const repeated = ofCode.filter(({ check }) => repeats && check === 'auth.wrong-code')
    await Promise.all(
      runs.flatMap((run) => [
        run.tryAll('guess', ofCode),
        ...(run.valid ? repeated : []).map((attempt) => run.try('guess', attempt, 'of-valid-calls')),
      ]),
    )
  }
}
