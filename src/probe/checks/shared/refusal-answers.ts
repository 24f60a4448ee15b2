import type { CellEvidence } from '../../run/evidence.js'
import { triedIn, wasLetIn, type Tried } from '../../run/reading.js'

/** The answers that refused a caller, in any form. */
export function refusalAnswers(cell: CellEvidence): Tried[] {
  return triedIn(cell).filter(
    ({ operation, answer }) =>
      wasLetIn(answer, cell) === 'no' && !(operation === 'subscribe' && answer.kind === 'unserved'),
  )
}
