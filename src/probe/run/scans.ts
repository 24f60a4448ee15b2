import { endOfStep, generateCodeOfStep, timeStepAt, verifyCode } from '../../core/totp.js'
import type { Answer } from '../wire/answer.js'
import type { CellRun } from './cell-run.js'
import { wrongCodesOf } from './codes.js'
import { isTelling } from './compared.js'
import type { Attempt } from './exchange.js'
import { awaitRoomInStep } from './guessing.js'
import { credentialFields } from './material.js'
import { isShown, wasLetIn } from './reading.js'
import { scanLabels, throttleLabels } from './scan-labels.js'
import type { Session } from './session.js'

/** The most steps on either side that the window scan tries. */
const farthest = 20
/** The shortest time over which known agents count wrong codes, in milliseconds. */
const budgetMs = 30_000
/** Distinct wrong codes in a row that an agent should not accept, by digits: RFC 4226 §7.3 asks for a low limit. */
const patienceWithGuesses = { 6: 25, 7: 250, 8: 600 } as const

/**
 * Runs the requested scans in the first cell that lets right credentials in. Each spends more guesses than a run may.
 */
export async function scan(session: Session, runs: readonly CellRun[]): Promise<void> {
  const run = runs.find(isShown)
  if (!run || session.options.noGuesses !== undefined) return
  const { performed } = session.plan
  // Under policy once a code of an earlier step is spent, whatever the window.
  if (performed.has('window') && !session.codes.once) await scanWindow(session, run)
  // Where every request is signed, none is a guess.
  if (performed.has('throttle') && !session.proofs.requires) await scanThrottle(session, run)
}

/** In each direction from now, sends the code of one step after another until one is refused. */
async function scanWindow(session: Session, run: CellRun): Promise<void> {
  const { credentials, now } = session.options
  await awaitFreshBudget(session)
  await awaitRoomInStep(session, [run], 4 * (credentials.window + 2))
  const current = timeStepAt(credentials, now())
  for (const [label, direction] of [
    [scanLabels.behind, -1],
    [scanLabels.ahead, 1],
  ] as const) {
    for (let steps = 1; steps <= farthest; steps++) {
      const code = generateCodeOfStep(credentials.seed, credentials, current + direction * steps)
      const attempt = scanAttempt(session, 'window', label, code)
      const answer = await run.send('scan', attempt, 'beside')
      if (!isTelling(answer)) break
      if (wasLetIn(answer, run) === 'yes') continue
      if (!session.proofs.requires) session.spent.add(code)
      break
    }
  }
}

/** Sends wrong codes until they are throttled or enough were sent, then the right one. */
async function scanThrottle(session: Session, run: CellRun): Promise<void> {
  const { options, announce, spent, codes } = session
  const { credentials, now } = options
  const most = patienceWithGuesses[credentials.digits]
  // Taken before, because a lock may be over after the wait for a time step.
  const unspent = codes.once ? await codes.next() : undefined
  announce(`throttle: sending up to ${most} wrong codes; the peer may be locked out for a while`)
  for (const code of wrongCodesOf(options, now(), most)) {
    const attempt = { ...scanAttempt(session, 'throttle', 'a wrong code', code), guess: code }
    const { kind } = await run.send('scan', attempt, 'beside')
    if (kind === 'throttled') return sendWithout(run)
    if (kind === 'unreadable') break
    spent.add(code)
  }
  await sendRight(session, run, unspent)
}

/** Requests at a time that are too many for whatever throttled as many one after another. */
const aboveAnyPace = 5

/** After a wrong code was throttled, shows whether callers without credentials are throttled too. */
async function sendWithout(run: CellRun): Promise<void> {
  const { nobody: label } = throttleLabels
  const attempt: Attempt = { check: 'throttle', label, operation: 'get', fields: [] }
  const sent = Array.from({ length: aboveAnyPace }, () => run.send('scan', attempt, 'beside'))
  const answers = await Promise.all(sent)
  if (answers.some(({ kind }) => kind === 'throttled')) {
    run.gaps = [...run.gaps, 'whether wrong codes are slowed down was not tested: everybody is throttled']
  }
}

/** Sends a right code that was not used, because a used one is refused in any case. */
async function sendRight(session: Session, run: CellRun, unspent?: string): Promise<void> {
  const { options, codes } = session
  const { credentials, now } = options
  const send = (code: string): Promise<Answer> =>
    run.send('scan', scanAttempt(session, 'throttle', throttleLabels.right, code), 'beside')
  const lives = unspent !== undefined && verifyCode(credentials.seed, credentials, unspent, now()).valid
  const answer = await send(lives ? unspent : await codes.next())
  if (codes.once || answer.kind === 'throttled' || wasLetIn(answer, run) !== 'no') return
  // It may be an agent that accepts each code once, which nothing has shown so far.
  codes.learnOnce()
  await send(await codes.next())
}

function scanAttempt(
  { options }: Session,
  check: 'window' | 'throttle',
  label: string,
  code: string,
): Attempt {
  return { check, label, operation: 'get', fields: credentialFields(options.credentials, code) }
}

/** The guesses of the scan would exceed a budget that the run has nearly spent. */
async function awaitFreshBudget({ options, spent, sleep, announce }: Session): Promise<void> {
  if (spent.size === 0) return
  const { credentials, now } = options
  const from = new Date(now().getTime() + budgetMs)
  const waitMs = endOfStep(credentials, timeStepAt(credentials, from)).getTime() - now().getTime()
  announce(`window: waiting ${Math.ceil(waitMs / 1000)} s, until the agent has forgotten the wrong codes`)
  await sleep(waitMs, 'the agent to forget the wrong codes')
}
