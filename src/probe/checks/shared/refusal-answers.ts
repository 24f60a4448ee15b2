import type { CellEvidence } from '../../run/evidence.js'
import { triedIn, wasLetIn, type Tried } from '../../run/reading.js'

/** What kept somebody out, in whatever form. */
export function refusalAnswers(cell: CellEvidence): Tried[] {
  return triedIn(cell).filter(
    ({ operation, answer }) =>
      wasLetIn(answer, cell) === 'no' && !(operation === 'subscribe' && answer.kind === 'unserved'),
  )
}
