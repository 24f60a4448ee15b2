import type { CellRun } from './cell-run.js'
import { untilNextStep, wrongCodesAt, type WrongCodes } from './codes.js'
import type { Attempt } from './exchange.js'
import { materialNow } from './material.js'
import { withCookies } from './repeat.js'
import type { Session } from './session.js'

/** The last part of a step, in which no guess is planned, in milliseconds. */
const spareMs = 1000
/** The most requests with a wrong code in one cell. */
const guessesPerCell = 7

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

/** Sends the wrong codes to every cell. */
export async function guess(session: Session, runs: readonly CellRun[], codes: WrongCodes): Promise<void> {
  const { plan, options } = session
  if (options.noGuesses !== undefined) {
    for (const run of runs) run.whyNotSent = options.noGuesses
    return
  }
  if (runs.length === 0) return
  const guesses = plan.guesses(materialNow(session), codes)
  const distinct = [...new Set(guesses.flatMap(({ guess: code }) => code ?? []))]
  const half = Math.ceil(distinct.length / 2)
  // In halves, each in every cell before the next: an agent that takes three wrong codes and then none, whichever they
  // are, has looked at all of them when they were asked again.
  for (const some of [distinct.slice(0, half), distinct.slice(half)]) {
    const attempts = guesses.filter(({ guess: code }) => code !== undefined && some.includes(code))
    await Promise.all(runs.map((run) => guessIn(run, attempts, plan.performed.has('auth.after-valid'))))
  }
}

/** Sends wrong codes to one cell; the one that is nobody's on the connection of its valid calls and with their cookies too. */
async function guessIn(run: CellRun, guesses: readonly Attempt[], afterValid: boolean): Promise<void> {
  const again = afterValid && run.valid ? guesses.filter(({ check }) => check === 'auth.wrong-code') : []
  await Promise.all([
    run.tryAll('guess', [...guesses, ...withCookies(run, again)]),
    ...again.map((attempt) => run.try('guess', attempt, 'of-valid-calls')),
  ])
}
