import type { CardJson } from '../../core/card/shapes.js'
import type { CellRun } from './cell-run.js'
import { isTelling } from './compared.js'
import { isShown, isSuccess } from './reading.js'
import type { Session } from './session.js'
import { saysUsed } from './used-code.js'

/**
 * If every cell refuses right credentials, tries common mix-ups in one cell and stops at the first that is let in. It
 * tries only what spends no guess: codes of other algorithms, periods, clocks or peers would be wrong codes beside a
 * token that may be live, and no guess is sent before a valid call was let in.
 *
 * @returns whether one was let in
 */
export async function tryHypotheses(
  { plan, options }: Session,
  runs: readonly CellRun[],
  cards: readonly CardJson[],
): Promise<boolean> {
  const run = runs.find((one) => one.valid?.kind === 'refused' && !saysUsed(one.valid, one))
  const refusal = run?.valid
  if (!run || !refusal || runs.some(isShown)) return false
  const { credentials, now } = options
  for (const attempt of plan.hypotheses({ credentials, cards, at: now(), refusal })) {
    const answer = await run.send('diagnosis', attempt, 'beside')
    if (isSuccess(answer, run)) return true
    if (!isTelling(answer)) break
  }
  return false
}
