import type { ProbeOptions } from '../options.js'
import type { Cell } from '../target/cells.js'
import { mayTravelTo } from '../target/hosts.js'
import { doorCalls } from './doors.js'
import { wrongCodesAt } from './codes.js'
import { materialNow } from './material.js'
import type { Plan } from './plan.js'
import type { Proofs } from './proofs.js'

/** A message, the task that it makes, and another peer's calls for that. */
const callsOfIsolation = 9

/** The same signed request a second time, and twice without its proof. */
const callsOfMisuse = 3

/** Right credentials before the guesses and after them. */
const callsOfControl = 2

/** A used code is repeated on other connections too where it is refused. */
const repeats = ({ credentials }: ProbeOptions): number => (credentials.replay === 'once' ? 4 : 1)

/** About how many requests a plan needs in these cells, if right credentials are let in and nothing is throttled. */
export function plannedRequests(
  plan: Plan,
  cells: readonly Cell[],
  options: ProbeOptions,
  proofs?: Proofs,
): number {
  const material = materialNow({ options, ...(proofs && { proofs }) })
  const { performed } = plan
  const first = plan.freeRefusals('before-valid', material)
  const again = performed.has('auth.after-valid') ? first.filter((one) => one.again).length : 0
  const guesses = plan.guesses(material, wrongCodesAt(options, options.now()))
  const late = plan.freeRefusals('late', material)
  const controls = again + late.length + guesses.length > 0 ? callsOfControl : 0
  const replays = performed.has('replay') ? repeats(options) : 0
  const calls = performed.has('auth.valid') ? 3 + controls + replays : 0
  const signed = proofs?.canSign === true && proofs.policy !== undefined ? 1 : 0
  const misused = material.signed === undefined ? 0 : callsOfMisuse
  const ofProofs = performed.has('signed.valid') ? signed + misused : 0
  const inFull = first.length + calls + ofProofs + 2 * again + late.length + guesses.length
  const testable = cells.filter(({ untestable }) => untestable === undefined)
  const inCell = (cell: Cell): number => {
    const doors = performed.has('auth.doors') ? doorCalls(cell, testable, performed) : []
    // Without credentials alone where they would be sent in clear.
    return mayTravelTo(cell.url, options)
      ? inFull + doors.length + (performed.has('isolation') ? callsOfIsolation : 0)
      : first.filter(({ fields }) => fields.length === 0).length + doors.length / 2
  }
  return testable.reduce((sum, cell) => sum + inCell(cell), 0)
}
