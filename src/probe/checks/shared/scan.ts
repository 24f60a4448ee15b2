import type { CellEvidence, Evidence } from '../../run/evidence.js'
import { skipped, type Verdict } from '../verdict.js'

/** What a scan sent, in the one cell that it was made in; undefined where it was made in none. */
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

export const letInNowhere: Verdict = skipped('right credentials were let in nowhere, so this cannot be told')
