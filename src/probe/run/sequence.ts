import type { CardJson } from '../../core/card/shapes.js'
import { mayTravelTo } from '../target/hosts.js'
import { askAgainAtEnd } from './ask-again.js'
import type { CellRun } from './cell-run.js'
import { Control } from './control.js'
import type { Attempt } from './exchange.js'
import { noteUntriedDoors, tryDoors } from './doors.js'
import { untilNextStep } from './codes.js'
import { freshWrongCodes, guess } from './guessing.js'
import { tryHypotheses } from './hypotheses.js'
import { announceIsolation, isolate } from './isolation.js'
import { materialNow } from './material.js'
import { leaveStepOut, tryOlderStep } from './older-step.js'
import { isShown } from './reading.js'
import { scan } from './scans.js'
import type { Session } from './session.js'
import { callAllValid } from './valid-calls.js'
import type { ValidCodes } from './valid-codes.js'

/** Why nothing was sent for a check, in any cell. */
export type Unsent = Partial<Record<'auth.cross-peer' | 'window' | 'throttle', string>>

/**
 * Sends everything, in the order that spares the agent's limits and shows most. The most important refusals come first,
 * while nothing has succeeded yet; they are few, because an agent that does not know the token counts each of them as a
 * stranger's. The valid calls follow; then, side by side, the same refusals after each and the many others that spend no
 * guess, and the guesses last. Calls with right credentials, before and after these, show that nobody was locked out. Each
 * stage ends in every cell before the next begins in any. Within a stage the cells run in parallel, each on its own
 * connections, and in a cell a few requests are under way at a time, until something throttles.
 */
export async function sendAll(
  session: Session,
  runs: readonly CellRun[],
  cards: readonly CardJson[],
): Promise<Unsent> {
  const { options, plan, spent, codes, proofs } = session
  const testable = runs.filter(({ cell }) => cell.untestable === undefined)
  const trusted = testable.filter(({ cell }) => mayTravelTo(cell.url, options))
  for (const run of testable) {
    if (trusted.includes(run)) continue
    run.whyNotSent = 'credentials are not sent over plain http beyond loopback; allow it with --insecure-http'
  }
  announceIsolation(session)
  await Promise.all(testable.map((run) => sendFirst(session, run, trusted.includes(run))))
  const finish = plan.performed.has('auth.valid') ? await callAllValid(session, trusted, codes) : undefined
  const guessable = letIn(trusted)
  const [unspent] = await Promise.all([
    sendLate(session, guessable, codes),
    finish?.(),
    tryDoors(session, testable, trusted),
  ])
  const older = await leaveStepOut(session, guessable, unspent)
  const control = new Control(session)
  const unlocked = await control.begin(guessable)
  const wrongCodes = await freshWrongCodes(session, unlocked)
  await guess(session, unlocked, wrongCodes)
  await askAgainAtEnd(session, unlocked, codes, wrongCodes)
  await control.end(unlocked)
  await tryOlderStep(session, unlocked, older)
  noteUntriedDoors(testable)
  await isolate(session, guessable, codes)
  await scan(session, guessable)
  const explained = await tryHypotheses(session, trusted, cards)
  // To the agent, a right code that it refused is a wrong one, unless it did not read it as a code.
  if (guessable.length === 0 && !explained && proofs.policy !== 'require')
    for (const code of codes.refused) spent.add(code)
  return {
    'auth.cross-peer': wrongCodes.noCrossPeer === '' ? undefined : wrongCodes.noCrossPeer,
    window:
      guessable.length > 0 && codes.once
        ? 'under policy once the codes of earlier steps are spent, whatever the window'
        : undefined,
    throttle: proofs.requires
      ? 'where proofs are required a wrong code is no guess: beside a proof it is not counted, and without one it is not looked at'
      : undefined,
  }
}

async function sendFirst(session: Session, run: CellRun, trusted: boolean): Promise<void> {
  const { plan, proofs } = session
  const attempts = (): readonly Attempt[] =>
    plan
      .freeRefusals('before-valid', materialNow(session))
      .filter(({ fields }) => trusted || fields.length === 0)
  if (proofs.policy !== undefined || !proofs.canSign) return run.tryAll('before-valid', attempts())
  // What is sent with token and code has to be signed where the challenge says so.
  const isBare = ({ fields }: Attempt): boolean => fields.length === 0
  await run.tryAll('before-valid', attempts().filter(isBare))
  proofs.learnFromChallenges(run.exchanges.flatMap(({ answer }) => answer.challenges))
  await run.tryAll(
    'before-valid',
    attempts().filter((attempt) => !isBare(attempt)),
  )
}

/**
 * Variants of a valid call. Under `once` they use an unspent code, because a spent one is refused in any form.
 *
 * @returns that code
 */
async function sendLate(
  session: Session,
  runs: readonly CellRun[],
  codes: ValidCodes,
): Promise<string | undefined> {
  const { plan, proofs } = session
  if (runs.length === 0 || !plan.hasLate) return undefined
  const send = async (
    unspent?: string,
    isMeant: (attempt: Attempt) => boolean = () => true,
  ): Promise<void> => {
    const material = materialNow(session, unspent)
    const attempts = plan.freeRefusals('late', material).filter(isMeant)
    await Promise.all(runs.map((run) => run.tryAll('late', attempts)))
  }
  if (proofs.requires) await awaitUnspentStep(session)
  if (!codes.once) {
    await send()
    return undefined
  }
  const isSigned = ({ signing }: Attempt): boolean => signing !== undefined
  // Signed ones first: one that is refused for its body has spent its step all the same.
  if (proofs.matter) await send(codes.shared(), isSigned)
  const unspent = await codes.next()
  await send(unspent, (attempt) => !isSigned(attempt))
  return unspent
}

/** Without a window, the one code that is valid is that of the signed calls. */
async function awaitUnspentStep({ options, plan, sleep }: Session): Promise<void> {
  const { credentials, now } = options
  if (credentials.window > 0 || credentials.replay === 'reuse' || !plan.performed.has('signed.required'))
    return
  await sleep(untilNextStep(credentials, now()), 'an unspent time step')
}

/** The cells that let right credentials in. In the others wrong ones would show nothing, so no guess is sent. */
function letIn(runs: readonly CellRun[]): CellRun[] {
  return runs.filter((run) => {
    const shown = isShown(run)
    if (!shown) run.whyNotSent = 'not sent: if right credentials are not let in, wrong ones show nothing'
    return shown
  })
}
