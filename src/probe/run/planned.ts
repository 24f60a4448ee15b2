import type { ProbeOptions } from '../options.js'
import type { Cell } from '../target/cells.js'
import { mayTravelTo } from '../target/hosts.js'
import { wrongCodesAt } from './codes.js'
import { doorKeys } from './door-evidence.js'
import { doorsAt } from './doors.js'
import { materialNow } from './material.js'
import type { Plan } from './plan.js'

/** About how many requests a plan needs in these cells, if right credentials are let in and nothing is throttled. */
export function plannedRequests(plan: Plan, cells: readonly Cell[], options: ProbeOptions): number {
  const material = materialNow(options)
  const { performed } = plan
  const first = plan.freeRefusals('before-valid', material)
  const again = performed.has('auth.after-valid') ? first.filter((one) => one.again).length : 0
  const guesses = plan.guesses(material, wrongCodesAt(options, options.now()))
  const calls = performed.has('auth.valid') ? 3 + (performed.has('replay') ? 1 : 0) : 0
  const inFull =
    first.length + calls + 2 * again + plan.freeRefusals('late', material).length + guesses.length
  const inCell = (cell: Cell): number => {
    if (cell.untestable !== undefined) return 0
    const isTrusted = mayTravelTo(cell.url, options)
    const doors = performed.has('auth.doors') ? doorsAt(cell, cells, performed.has('auth.stream')).length : 0
    return isTrusted
      ? inFull + doors * doorKeys.length
      : first.filter(({ fields }) => fields.length === 0).length + doors
  }
  return cells.reduce((sum, cell) => sum + inCell(cell), 0)
}
