import type { CellEvidence, Evidence } from '../../run/evidence.js'
import { skipped, type Verdict } from '../verdict.js'

/** The exchanges of a scan in the one cell where it ran; undefined if it did not run. */
export function scanOf(
  check: 'window' | 'throttle',
  { cells }: Evidence,
): { readonly cell: CellEvidence; readonly exchanges: CellEvidence['exchanges'] } | undefined {
  for (const cell of cells) {
    const exchanges = cell.exchanges.filter((one) => one.stage === 'scan' && one.check === check)
    if (exchanges.length > 0) return { cell, exchanges }
  }
  return undefined
}

export const letInNowhere: Verdict = skipped(
  'no interface let right credentials in, so this cannot be tested',
)
