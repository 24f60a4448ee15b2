import { verifyCode } from '../../core/totp.js'
import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'
import { credentialFields } from './material.js'
import { wasLetIn } from './reading.js'
import type { Session } from './session.js'
import { olderStep } from './success-labels.js'
import { validCall } from './valid-call.js'

/**
 * Under policy `once` a success spends every older step too: leaves a step out, calls with the code of the next one, and
 * sends that of the older one. No code is a guess here.
 *
 * @param unspent the code of the last step, which was sent but not let in; if undefined, one is left out
 */
export async function tryOlderStep(
  session: Session,
  runs: readonly CellRun[],
  unspent: string | undefined,
): Promise<void> {
  const { codes, options } = session
  const { credentials, now } = options
  const [run] = runs
  if (run === undefined || !codes.once || !triesOlderStep(session) || runs.some(tookLateOne)) return
  const older = unspent ?? (await codes.next())
  const call = (label: string, code: string): Attempt => ({
    ...validCall(label, credentialFields(credentials, code)),
    check: 'replay',
  })
  const answer = await run.send('newer', call('the code of the step after', await codes.next()), 'beside')
  // Outside of the window it is refused whatever was used.
  const lives = verifyCode(credentials.seed, credentials, older, now()).valid
  if (lives && wasLetIn(answer, run) === 'yes') await run.send('replay', call(olderStep, older), 'beside')
}

/** Whether a run spends a time step on this: not where it takes seconds because calls are signed. */
export function triesOlderStep({ options, plan, proofs }: Session): boolean {
  const { replay, window } = options.credentials
  return replay === 'once' && window > 0 && plan.performed.has('replay') && !proofs.matter
}

/** Whether a variant of the unspent code was let in, and so spent it. */
const tookLateOne = (run: CellRun): boolean =>
  run.exchanges.some(({ stage, answer }) => stage === 'late' && wasLetIn(answer, run) === 'yes')
