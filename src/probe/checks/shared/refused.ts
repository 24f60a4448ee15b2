import type { CheckId } from '../../check-ids.js'
import type { CellEvidence } from '../../run/evidence.js'
import { triedIn, wasLetIn, type Tried } from '../../run/reading.js'
import { failed, passed, skipped, warned, type Verdict } from '../verdict.js'

/** Whether everything that a check sent before any success was refused. */
export function judgeRefused(check: CheckId, cell: CellEvidence): Verdict {
  const beside = besideSuccess(check, cell)
  const before = beside.filter(({ when }) => when === 'before')
  const isTelling = before.some(({ answer }) => answer.kind !== 'throttled')
  return judgeAll(isTelling ? before : beside, cell)
}

/**
 * Whether everything that a check sent after a success was refused. What lets it in may be the success, and
 * `auth.after-valid` names that.
 */
export function judgeRefusedLate(check: CheckId, cell: CellEvidence): Verdict {
  const verdict = judgeAll(besideSuccess(check, cell), cell)
  const tried = triedIn(cell)
  const opened = tried.some(
    ({ label, answer, when, again }) =>
      when === 'after' &&
      again &&
      wasLetIn(answer, cell) === 'yes' &&
      tried.some(
        (other) => other.label === label && other.when === 'before' && wasLetIn(other.answer, cell) === 'no',
      ),
  )
  if (verdict.status !== 'fail' || !opened) return verdict
  return {
    ...skipped('after a success the agent lets more in, so nothing can be told here; see auth.after-valid'),
    actual: verdict.actual,
  }
}

/** What a check sent on other connections than that of a success. */
function besideSuccess(check: CheckId, cell: CellEvidence): Tried[] {
  return triedIn(cell).filter((tried) => tried.check === check && tried.when !== 'after-same-connection')
}

/** Whether all of these were refused. */
export function judgeAll(tried: readonly Tried[], cell: CellEvidence): Verdict {
  const durationMs = tried.reduce((sum, { answer }) => sum + answer.durationMs, 0)
  return { ...verdictOn(tried, cell), durationMs }
}

function verdictOn(tried: readonly Tried[], cell: CellEvidence): Verdict {
  const first = tried[0]
  if (!first) return skipped(cell.whyNotSent)
  // A limiter answers 429 to anybody, so that alone is no refusal (and `coverage` names it).
  if (tried.every(({ answer }) => answer.kind === 'throttled')) {
    return { ...skipped('nothing but throttling came, which shows nothing'), actual: first.answer.summary }
  }
  const letIn = tried.filter(({ answer }) => wasLetIn(answer, cell) === 'yes')
  if (letIn[0]) return failed(letIn[0].answer.summary, `let in: ${labelsOf(letIn)}`)
  const unserved = tried.find(isUnservedStream)
  if (unserved) return skipped(`the agent does not stream (${unserved.answer.summary})`)
  // A proxy in front may hang up on what is no valid HTTP; whatever else is not refused shows that nobody is kept out.
  const silent = tried.filter(({ answer }) => answer.kind === 'unreadable')
  if (silent[0]) {
    const judged = isMalformedHttp(silent[0]) ? warned : failed
    return judged(silent[0].answer.summary, `no readable answer to ${labelsOf(silent)}`)
  }
  const unclear = tried.filter(({ answer }) => wasLetIn(answer, cell) === 'unclear')
  if (unclear[0]) {
    return {
      ...skipped(`nothing shows whether that is a refusal: ${labelsOf(unclear)}`),
      actual: unclear[0].answer.summary,
    }
  }
  return passed(first.answer.summary)
}

/** A header that HTTP itself forbids, doubled or malformed, is often answered by the server or a proxy in front. */
export function isMalformedHttp({ check }: Tried): boolean {
  return check === 'auth.malformed-code' || check === 'auth.duplicate-header'
}

/** A stream that the agent does not have was not opened, but not refused for lack of credentials either. */
function isUnservedStream({ operation, answer }: Tried): boolean {
  if (operation !== 'subscribe') return false
  return answer.kind === 'unserved' || /-32004|UNSUPPORTED_OPERATION/.test(answer.signature)
}

export function labelsOf(tried: readonly Tried[]): string {
  return [...new Set(tried.map(({ label }) => label))].join(', ')
}

/** The calls with a wrong code that were let in. */
export function wrongCodesLetIn(cell: CellEvidence): Tried[] {
  return besideSuccess('auth.wrong-code', cell).filter(({ answer }) => wasLetIn(answer, cell) === 'yes')
}
