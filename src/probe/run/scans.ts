import { endOfStep, generateCode, generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import type { CellRun } from './cell-run.js'
import { wrongCodesOf } from './codes.js'
import type { Attempt } from './exchange.js'
import { awaitRoomInStep } from './guessing.js'
import { credentialFields } from './material.js'
import { isShown, wasLetIn } from './reading.js'
import type { Session } from './session.js'

/** How far a window is looked for on either side, in steps: more is no window any more. */
const farthest = 20
/** The shortest time over which agents count wrong codes, as far as we know, in milliseconds. */
const budgetMs = 30_000
/** Distinct wrong codes that an agent should not take in a row, by digits: RFC 4226 §7.3 asks for a low limit. */
const patienceWithGuesses = { 6: 25, 7: 250, 8: 600 } as const

/** Labels of what the scans send; the judges tell the requests apart by them. */
export const scanLabels = { behind: 'a code of the past', ahead: 'a code of the future' } as const

/**
 * Makes the scans that were asked for, in the first cell that lets right credentials in: each spends more guesses than
 * a run has.
 */
export async function scan(session: Session, runs: readonly CellRun[], once: boolean): Promise<void> {
  const run = runs.find(isShown)
  if (!run) return
  const { performed } = session.plan
  // Under policy once a code of an earlier step is spent, whatever the window.
  if (performed.has('window') && !once) await scanWindow(session, run)
  if (performed.has('throttle')) await scanThrottle(session, run)
}

/** Goes outward from now, a step at a time, until a code is refused. */
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
      if (answer.kind === 'throttled' || answer.kind === 'unreadable') break
      if (wasLetIn(answer, run) === 'yes') continue
      session.spent.add(code)
      break
    }
  }
}

/** Sends wrong codes until they are slowed down or there have been enough, then the right one. */
async function scanThrottle(session: Session, run: CellRun): Promise<void> {
  const { options, announce, spent } = session
  const { credentials, now } = options
  const most = patienceWithGuesses[credentials.digits]
  announce(`throttle: sending up to ${most} wrong codes; the peer may be shut out for a while after this`)
  for (const code of wrongCodesOf(options, now(), most)) {
    const attempt = { ...scanAttempt(session, 'throttle', 'a wrong code', code), guess: code }
    const { kind } = await run.send('scan', attempt, 'beside')
    if (kind === 'throttled') return
    if (kind === 'unreadable') break
    spent.add(code)
  }
  const right = generateCode(credentials.seed, credentials, now())
  await run.send('scan', scanAttempt(session, 'throttle', 'the right code', right), 'beside')
}

function scanAttempt(
  { options }: Session,
  check: 'window' | 'throttle',
  label: string,
  code: string,
): Attempt {
  return { check, label, operation: 'get', fields: credentialFields(options.credentials, code) }
}

/** The scan's own guesses would trip a budget that the run has nearly spent. */
async function awaitFreshBudget({ options, spent, sleep, announce }: Session): Promise<void> {
  if (spent.size === 0) return
  const { credentials, now } = options
  const from = new Date(now().getTime() + budgetMs)
  const waitMs = endOfStep(credentials, timeStepAt(credentials, from)).getTime() - now().getTime()
  announce(`window: waiting ${Math.ceil(waitMs / 1000)} s, so that the agent has forgotten the wrong codes`)
  await sleep(waitMs)
}
