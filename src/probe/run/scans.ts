import { endOfStep, generateCode, generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import type { Answer } from '../wire/answer.js'
import { isSuccess, wasLetIn, type CellRun } from './cell-run.js'
import { wrongCodesOf } from './codes.js'
import { awaitRoomInStep } from './guessing.js'
import { credentialFields, type Session } from './session.js'

/** How far a window is looked for on either side, in steps: more is no window any more. */
const farthest = 20
/** The shortest time over which agents count wrong codes, as far as we know, in milliseconds. */
const budgetMs = 30_000
/** Distinct wrong codes that an agent should not take in a row, by digits: RFC 4226 §7.3 asks for a low limit. */
const patienceWithGuesses = { 6: 25, 7: 250, 8: 600 } as const

/** What the scans found that are made on demand only, since they spend more guesses than a run has. */
export interface Scans {
  readonly window?: WindowScan | undefined
  readonly throttle?: ThrottleScan | undefined
}

/** How many steps behind and ahead are accepted, or why that could not be found out. */
export type WindowScan = { readonly behind: number; readonly ahead: number } | { readonly problem: string }

/** What came of many wrong codes in a row. */
export interface ThrottleScan {
  /** Distinct wrong codes of the whole run. */
  readonly guesses: number
  /** The first 429, if there was one. */
  readonly throttled: Answer | undefined
  /** Answers to the wrong codes, in order. */
  readonly answers: readonly Answer[]
  /** What the right code got after them. */
  readonly valid: Answer | undefined
}

/** Makes the scans that were asked for, in the first cell that lets right credentials in. Adds to `spent`. */
export async function scan(
  session: Session,
  runs: readonly CellRun[],
  spent: Set<string>,
  once: boolean,
): Promise<Scans> {
  const run = runs.find((one) => one.valid !== undefined && isSuccess(one.valid, one))
  if (!run) return {}
  const window = session.performed.has('window') ? await scanWindow(session, run, spent, once) : undefined
  const throttle = session.performed.has('throttle') ? await scanThrottle(session, run, spent) : undefined
  return { window, throttle }
}

async function scanWindow(
  session: Session,
  run: CellRun,
  spent: Set<string>,
  once: boolean,
): Promise<WindowScan> {
  const { credentials, now } = session.options
  if (once) return { problem: 'under policy once a code of an earlier step is spent, whatever the window' }
  await awaitFreshBudget(session, spent)
  await awaitRoomInStep(session, [run], 4 * (credentials.window + 2))
  const current = timeStepAt(credentials, now())
  const reach = async (direction: 1 | -1): Promise<number | undefined> => {
    for (let steps = 1; steps <= farthest; steps++) {
      const code = generateCodeOfStep(credentials.seed, credentials, current + direction * steps)
      const answer = await run.callScan(credentialFields(session, code))
      if (answer.kind === 'throttled' || answer.kind === 'unreadable') return undefined
      if (wasLetIn(answer, run) === 'yes') continue
      spent.add(code)
      return steps - 1
    }
    return farthest
  }
  const behind = await reach(-1)
  const ahead = await reach(1)
  if (behind === undefined || ahead === undefined) return { problem: 'the agent throttled the scan' }
  if (timeStepAt(credentials, now()) !== current) return { problem: 'the time step ended during the scan' }
  return { behind, ahead }
}

async function scanThrottle(session: Session, run: CellRun, spent: Set<string>): Promise<ThrottleScan> {
  const { options, announce } = session
  const { credentials, now } = options
  const most = patienceWithGuesses[credentials.digits]
  announce(`throttle: sending up to ${most} wrong codes; the peer may be shut out for a while after this`)
  const answers: Answer[] = []
  let throttled: Answer | undefined
  for (const code of wrongCodesOf(options, now(), most)) {
    const answer = await run.callScan(credentialFields(session, code))
    if (answer.kind === 'throttled') {
      throttled = answer
      break
    }
    if (answer.kind === 'unreadable') break
    spent.add(code)
    answers.push(answer)
  }
  const valid = throttled
    ? undefined
    : await run.callScan(credentialFields(session, generateCode(credentials.seed, credentials, now())))
  return { guesses: spent.size, throttled, answers, valid }
}

/** The scan's own guesses would trip a budget that the run has nearly spent. */
async function awaitFreshBudget(
  { options, sleep, announce }: Session,
  spent: ReadonlySet<string>,
): Promise<void> {
  if (spent.size === 0) return
  const { credentials, now } = options
  const from = new Date(now().getTime() + budgetMs)
  const waitMs = endOfStep(credentials, timeStepAt(credentials, from)).getTime() - now().getTime()
  announce(`window: waiting ${Math.ceil(waitMs / 1000)} s, so that the agent has forgotten the wrong codes`)
  await sleep(waitMs)
}
