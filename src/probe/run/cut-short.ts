import { cellCheckIds, type CheckId } from '../check-ids.js'
import type { CellRun } from './cell-run.js'
import { wrongCodesAt } from './codes.js'
import type { Deadline } from './deadline.js'
import { materialNow } from './material.js'
import type { Session } from './session.js'
import type { Plan } from './plan.js'

/** Notes in a cell which of its checks the deadline cut short. */
export function cutShort(
  run: CellRun,
  plan: Plan,
  tools: Pick<Session, 'options' | 'proofs'>,
  deadline: Deadline,
): void {
  if (run.cell.untestable !== undefined) return
  const { options } = tools
  const material = materialNow(tools)
  const wanted = [
    ...plan.freeRefusals('before-valid', material),
    ...plan.freeRefusals('late', material),
    ...plan.guesses(material, wrongCodesAt(options, options.now())),
  ]
  const sent = new Set(run.exchanges.map(({ check, label }) => `${check} ${label}`))
  const left = new Set(
    wanted.filter(({ check, label }) => !sent.has(`${check} ${label}`)).map(({ check }) => check),
  )
  const asked = new Set(wanted.map(({ check }) => check))
  // The others judge what came last, or the answers of all.
  const isCut = (id: CheckId): boolean =>
    left.has(id) || (!asked.has(id) && !(id === 'auth.valid' && run.valid !== undefined))
  const unfinished = cellCheckIds.filter((id) => plan.performed.has(id) && isCut(id))
  if (unfinished.length === 0) return
  run.whyNotSent = `not reached before ${deadline.text}`
  run.unfinished = new Set([...run.unfinished, ...unfinished])
  run.gaps = [...run.gaps, `${deadline.text} passed before these were finished: ${unfinished.join(', ')}`]
}
