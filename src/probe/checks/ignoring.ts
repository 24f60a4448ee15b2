import type { IgnoreRow } from '../options.js'
import type { Evidence } from '../run/evidence.js'
import { isWanted, type Cell } from '../target/cells.js'
import { cellsNotShown } from './coverage.js'
import { runChecks } from './index.js'
import type { Judgement } from './judgement.js'
import type { Selection } from './selection.js'
import { warned, type Verdict } from './verdict.js'

/**
 * Turns the failures and warnings that rows name into skips. Rows that expired ignore nothing; they and rows that nothing
 * needed are a warning of `coverage`, so that the list does not outlive its reasons.
 *
 * Nothing makes up for right credentials that were not let in: that failure of `coverage` stays. Where nothing answered at
 * all there is nothing to ignore.
 */
export function ignoring(
  judgements: readonly Judgement[],
  evidence: Evidence,
  selection: Selection,
): Judgement[] {
  const { ignore = [], now } = evidence.options
  if (ignore.length === 0 || evidence.silence) return [...judgements]
  const at = now()
  const live = ignore.filter(({ expires }) => expires > at)
  const used = new Set<IgnoreRow>()
  const result = judgements.map((judgement) => {
    if (!isIgnorable(judgement, evidence)) return judgement
    const rows = live.filter((row) => isAbout(row, judgement))
    for (const row of rows) used.add(row)
    return rows[0] ? { ...judgement, verdict: ignored(judgement.verdict, rows[0]) } : judgement
  })
  const remarks = [
    ...ignore
      .filter((row) => !live.includes(row))
      .map((row) => `the row to ignore ${nameOf(row)} expired on ${row.expires.toISOString()}`),
    ...live
      .filter((row) => !used.has(row) && isInBounds(row, evidence, selection))
      .map((row) => `the row to ignore ${nameOf(row)} is not needed: nothing there failed or warned`),
  ]
  return remarks.length === 0 ? result : withRemarks(result, remarks.join('; '))
}

/** How a row names a cell. */
const cellNameOf = ({ binding, protocol }: Cell): string => `${binding}/${protocol}`

const nameOf = ({ id, cell }: IgnoreRow): string => (cell === undefined ? id : `${id} in ${cell}`)

function isAbout({ id, cell }: IgnoreRow, { check, cell: where }: Judgement): boolean {
  return id === check.id && (cell === undefined || (where !== null && cell === cellNameOf(where)))
}

function isIgnorable({ check, verdict: { status } }: Judgement, evidence: Evidence): boolean {
  if (status !== 'fail' && status !== 'warn') return false
  return check.id !== 'coverage' || cellsNotShown(evidence.cells).length === 0
}

/** A row for what was left out of a run is not to blame. */
function isInBounds({ id, cell }: IgnoreRow, { options }: Evidence, { reported }: Selection): boolean {
  const [binding, protocol] = cell?.split('/') ?? []
  return reported.has(id) && (cell === undefined || isWanted({ binding, protocol }, options))
}

function ignored({ status, detail, ...rest }: Verdict, { reason, expires }: IgnoreRow): Verdict {
  const was = detail === '' ? '' : ` (${status === 'fail' ? 'it failed' : 'it warned'}: ${detail})`
  return {
    ...rest,
    status: 'skip',
    detail: `ignored until ${expires.toISOString()}: ${reason}${was}`,
    ignored: true,
  }
}

function withRemarks(judgements: readonly Judgement[], remarks: string): Judgement[] {
  const isCoverage = ({ check }: Judgement): boolean => check.id === 'coverage'
  if (!judgements.some(isCoverage)) {
    const verdict = warned('rows of --ignore', remarks)
    return [...judgements, { check: runChecks.coverage, cell: null, verdict }]
  }
  return judgements.map((judgement) => {
    if (!isCoverage(judgement)) return judgement
    const { verdict } = judgement
    const status = verdict.status === 'pass' ? 'warn' : verdict.status
    const detail = [verdict.detail, remarks].filter((part) => part !== '').join('; ')
    return { ...judgement, verdict: { ...verdict, status, detail } }
  })
}
