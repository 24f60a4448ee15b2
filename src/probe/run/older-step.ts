import { verifyCode } from '../../core/totp.js'
import type { CellRun } from './cell-run.js'
import { credentialFields } from './material.js'
import { isSuccess, wasLetIn } from './reading.js'
import type { Session } from './session.js'
import { olderStep } from './success-labels.js'
import { validCall } from './valid-call.js'

/**
 * Under policy `once` a success spends every older step too: leaves a step out before the call at the end of a run.
 *
 * @param unspent the code of the last step, which was sent but not let in; if undefined, one is left out
 * @returns the code of the step that was left out
 */
export async function leaveStepOut(
  session: Session,
  runs: readonly CellRun[],
  unspent: string | undefined,
): Promise<string | undefined> {
  const { codes } = session
  if (runs.length === 0 || !codes.once || !triesOlderStep(session) || runs.some(tookLateOne)) return undefined
  return unspent ?? codes.next()
}

/** After a call with the code of a later step, sends that of the step that was left out. It is no guess. */
export async function tryOlderStep(
  { options }: Session,
  runs: readonly CellRun[],
  older: string | undefined,
): Promise<void> {
  const { credentials, now } = options
  const run = runs.find((one) =>
    one.exchanges.some(({ stage, answer }) => stage === 'control' && isSuccess(answer, one)),
  )
  if (run === undefined || older === undefined) return
  // Outside of the window it is refused whatever was used.
  if (!verifyCode(credentials.seed, credentials, older, now()).valid) return
  const call = validCall(olderStep, credentialFields(credentials, older))
  await run.send('replay', { ...call, check: 'replay' }, 'beside')
}

/** Whether a run spends a time step on this: not where it takes seconds because calls are signed. */
export function triesOlderStep({ options, plan, proofs }: Session): boolean {
  const { replay, window } = options.credentials
  return replay === 'once' && window > 0 && plan.performed.has('replay') && !proofs.matter
}

/** Whether a variant of the unspent code was let in, and so spent it. */
const tookLateOne = (run: CellRun): boolean =>
  run.exchanges.some(({ stage, answer }) => stage === 'late' && wasLetIn(answer, run) === 'yes')
