import { cellCheckIds, runCheckIds, type CheckId } from '../check-ids.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { isSilent, isUnserved, triedIn, validAnswer, wasLetIn } from '../run/reading.js'
import type { Cell } from '../target/cells.js'
import { isAnswer, type Answer } from '../wire/answer.js'
import type { NoAnswer } from '../wire/raw-answer.js'
import type { CellCheck, Check } from './check.js'
import { cellChecks, checks, runChecks } from './index.js'
import type { Selection } from './selection.js'
import { failed, nothingAnswered, skipped, type Verdict } from './verdict.js'

/** The verdict of one check, in one cell or (null) for the agent as a whole. */
export interface Judgement {
  readonly check: Check
  readonly cell: Cell | null
  readonly verdict: Verdict
}

/** The verdicts of the checks that are reported, in the order of the report. */
export function judge(evidence: Evidence, selection: Selection): Judgement[] {
  return evidence.silence ? judgeSilence(evidence.silence, selection) : judgeAnswers(evidence, selection)
}

function judgeAnswers(evidence: Evidence, { reported, performed }: Selection): Judgement[] {
  const ofRun = runCheckIds
    .filter((id) => reported.has(id))
    .map((id) => ({ check: runChecks[id], cell: null, verdict: runChecks[id].judge(evidence) }))
  const wanted = cellCheckIds.filter((id) => reported.has(id)).map((id) => cellChecks[id])
  const ofCells = evidence.cells.flatMap((one) => wanted.map((check) => ofCell(check, one, evidence)))
  const skippedIn = ({ cell }: CellEvidence): CellCheck[] =>
    ofCells.flatMap((one) => (one.cell === cell && one.verdict.status === 'skip' ? [one.check] : []))
  const premises = evidence.cells.flatMap((one) =>
    premisesOf(skippedIn(one), { reported, performed })
      .map((check) => ofCell(check, one, evidence))
      .filter(({ verdict }) => verdict.status === 'fail'),
  )
  return [
    ...ofRun,
    ...ofCells,
    ...premises,
    ...crashesAnyway(evidence, reported),
    ...coverageAnyway(evidence, { reported, performed }),
  ]
}

/**
 * The checks that others need, which therefore have nothing to judge where these fail: such a failure is reported even if
 * it was not selected. Without it, an agent that refuses nobody would be ok as long as only checks are selected that
 * compare refusals.
 */
function premisesOf(checksSkipped: readonly CellCheck[], { reported, performed }: Selection): CellCheck[] {
  const needed = new Set(checksSkipped.flatMap(({ needs = [] }) => needs))
  return cellCheckIds
    .filter((id) => needed.has(id) && performed.has(id) && !reported.has(id))
    .map((id) => cellChecks[id])
}

/**
 * A server error lets nobody in, and is no refusal either: where a selected check got one, the failure of `status` is
 * reported even if that was not selected.
 */
function crashesAnyway(evidence: Evidence, reported: Selection['reported']): Judgement[] {
  if (reported.has('status')) return []
  return evidence.cells
    .filter((cell) =>
      triedIn(cell).some(({ check, answer }) => reported.has(check) && answer.kind === 'failed'),
    )
    .map((one) => ofCell(cellChecks.status, one, evidence))
    .filter(({ verdict }) => verdict.status === 'fail')
}

/**
 * If an interface was not tested or nobody was let in, refusals elsewhere prove little, so a failure of `coverage` is
 * reported even if that was not selected.
 */
function coverageAnyway(evidence: Evidence, { reported, performed }: Selection): Judgement[] {
  if (reported.has('coverage') || !performed.has('auth.valid')) return []
  const verdict = runChecks.coverage.judge(evidence)
  return verdict.status === 'fail' ? [ofAgent('coverage', verdict)] : []
}

function ofCell(check: CellCheck, one: CellEvidence, evidence: Evidence): OfCell {
  return { check, cell: one.cell, verdict: judgeCell(check, one, evidence) }
}

type OfCell = Judgement & { readonly check: CellCheck }

function judgeCell(check: CellCheck, cell: CellEvidence, evidence: Evidence): Verdict {
  const { untestable } = cell.cell
  if (untestable !== undefined) return skipped(untestable)
  const silence = silenceOf(cell)
  if (silence) return { ...skipped('nothing answers at this interface'), actual: silence.summary }
  const open = triedIn(cell).some(({ answer }) => wasLetIn(answer, cell) === 'yes')
  if (isUnserved(cell) && !open) {
    const actual = validAnswer(cell)?.summary ?? ''
    return {
      ...skipped('the agent does not serve this binding and version here, or not this method'),
      actual,
    }
  }
  // Silence is no hole: `auth.valid` says why there is no answer, and `coverage` that nothing was shown.
  if (isSilent(cell) && check.id !== 'auth.valid') {
    const actual = validAnswer(cell)?.summary ?? ''
    return { ...skipped('nothing that was sent here got an answer that can be read'), actual }
  }
  const verdict = check.judge(cell, evidence)
  // A part of the evidence shows a fault, but not that there is none.
  const isPartial = cell.unfinished.has(check.id) && verdict.status === 'pass'
  return isPartial ? { ...skipped(cell.whyNotSent), actual: verdict.actual } : verdict
}

/** The first of nothing but failed connections: such an interface is a gap, and shows nothing of how the agent refuses. */
function silenceOf({ exchanges }: CellEvidence): Answer | undefined {
  // With a hint there was an answer: TLS that is not trusted, or another protocol. So there was where it hung up.
  const isUnreached = (answer: Answer): boolean =>
    !isAnswer(answer) && !answer.untrusted && answer.hint === undefined && !answer.closed && !answer.unread
  return exchanges.every(({ answer }) => isUnreached(answer)) ? exchanges[0]?.answer : undefined
}

/** If nothing answered, most checks are skipped, and the report is not ok because nothing was shown. */
function judgeSilence(silence: NoAnswer, { reported, performed }: Selection): Judgement[] {
  const judgements = [...runCheckIds, ...cellCheckIds]
    .filter((id) => reported.has(id))
    .map((id) => ofAgent(id, checks[id].judgeSilence?.(silence) ?? nothingAnswered))
  const isFailed = judgements.some(({ verdict }) => verdict.status === 'fail')
  if (performed.has('auth.valid') && !isFailed) {
    judgements.push(ofAgent('coverage', failed('no interface was tested', silence.explanation)))
  }
  return judgements
}

const ofAgent = (id: CheckId, verdict: Verdict): Judgement => ({ check: checks[id], cell: null, verdict })
