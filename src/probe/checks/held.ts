import type { CheckId } from './catalogue.js'
import { isSuccess, wasLetIn, type CellRun, type Tried } from '../run/cell-run.js'
import { failed, passed, skipped, warned, type Verdict } from '../report/report.js'
import { isLate } from './refusals.js'

/** Whether everything that a refusal check sent was refused, before any success where it is sent then. */
export function judgeRefusals(check: CheckId, run: CellRun): Verdict {
  const beside = run.tried.filter(
    ({ attempt, when }) => attempt.check === check && when !== 'after-same-connection',
  )
  const before = beside.filter(({ when }) => when === 'before')
  const isTelling = before.some(({ answer }) => answer.kind !== 'throttled')
  const tried = isLate(check) || !isTelling ? beside : before
  return isLate(check) ? judgeBeside(tried, run) : judgeHeld(tried, run)
}

/** Guesses are sent after the valid calls; they have no "before". */
export function judgeGuess(check: CheckId, run: CellRun): Verdict {
  const tried = run.tried.filter(
    ({ attempt, when }) => attempt.check === check && when !== 'after-same-connection',
  )
  return judgeBeside(tried, run)
}

/** Whether no stream was opened without the second factor, before any success, and none with a wrong code. */
export function judgeStream(run: CellRun): Verdict {
  const verdict = judgeRefusals('auth.stream', run)
  if (verdict.status !== 'pass') return verdict
  const wrong = run.tried.filter(
    ({ attempt }) => attempt.check === 'auth.stream' && attempt.guess !== undefined,
  )
  const opened = wrong.filter(({ answer }) => wasLetIn(answer, run) === 'yes')
  // Where every call with a wrong code is let in, it is not the stream that is at fault.
  if (opened[0] === undefined || letInWrongCodes(run).length > 0) return verdict
  return failed(opened[0].answer.summary, `let in: ${labels(opened)}`)
}

function letInWrongCodes(run: CellRun): Tried[] {
  return run.tried.filter(
    ({ attempt, answer, when }) =>
      attempt.check === 'auth.wrong-code' &&
      when !== 'after-same-connection' &&
      wasLetIn(answer, run) === 'yes',
  )
}

/** Requests sent after a success: what lets them in may be the success, and `auth.after-valid` names that. */
function judgeBeside(tried: readonly Tried[], run: CellRun): Verdict {
  const verdict = judgeHeld(tried, run)
  const opened = run.tried.find(
    ({ attempt, answer, when }) =>
      when === 'after' &&
      attempt.again &&
      wasLetIn(answer, run) === 'yes' &&
      run.tried.some(
        (other) =>
          other.attempt.label === attempt.label &&
          other.when === 'before' &&
          wasLetIn(other.answer, run) === 'no',
      ),
  )
  if (verdict.status !== 'fail' || !opened) return verdict
  return {
    ...skipped('after a success the agent lets more in, so nothing can be told here; see auth.after-valid'),
    actual: verdict.actual,
  }
}

/** Whether what was refused before a success still is after it. */
export function judgeAfterValid(run: CellRun): Verdict {
  if (!run.valid || !isSuccess(run.valid, run)) return skipped('no call was let in, so there is no "after"')
  const refusedElsewhere = ({ attempt }: Tried): boolean =>
    run.tried.some(
      (other) =>
        other.attempt.label === attempt.label &&
        other.when !== 'after-same-connection' &&
        (other.when === 'before' || attempt.guess !== undefined) &&
        wasLetIn(other.answer, run) === 'no',
    )
  const after = run.tried.filter(
    ({ attempt, when }) => when === 'after-same-connection' || (when === 'after' && attempt.again),
  )
  const comparable = after.filter(refusedElsewhere)
  if (comparable.length === 0) return skipped('nothing was refused before the success')
  const verdict = judgeHeld(comparable, run)
  const [wrong] = letInWrongCodes(run)
  if (verdict.status === 'pass' && wrong && refusesWithoutCode(run)) {
    return failed(
      wrong.answer.summary,
      'let in: a wrong code; guesses are sent after a success only, so it may be the success that opened the door',
    )
  }
  const same = comparable.filter(({ when }) => when === 'after-same-connection')
  const letIn = same.some(({ answer }) => wasLetIn(answer, run) === 'yes')
  if (letIn) return { ...verdict, detail: `${verdict.detail}; on the connection that a success came by` }
  return same.length > 0 || verdict.status !== 'pass'
    ? verdict
    : { ...verdict, detail: 'on new connections; the agent closes each after its answer' }
}

/** Whether a call without a code was refused before any success: then the code was looked at. */
function refusesWithoutCode(run: CellRun): boolean {
  const without = run.tried.filter(
    ({ attempt, when }) => attempt.check === 'auth.bearer-only' && when === 'before',
  )
  return without.length > 0 && without.every(({ answer }) => wasLetIn(answer, run) === 'no')
}

function judgeHeld(tried: readonly Tried[], run: CellRun): Verdict {
  const durationMs = tried.reduce((sum, { answer }) => sum + answer.durationMs, 0)
  return { ...judgeAll(tried, run), durationMs }
}

function judgeAll(tried: readonly Tried[], run: CellRun): Verdict {
  const first = tried[0]
  if (!first) return skipped(run.whyNotSent)
  // A limiter answers 429 to anybody, so that alone is no refusal (and `coverage` names it).
  if (tried.every(({ answer }) => answer.kind === 'throttled')) {
    return { ...skipped('nothing but throttling came, which shows nothing'), actual: first.answer.summary }
  }
  const letIn = tried.filter(({ answer }) => wasLetIn(answer, run) === 'yes')
  if (letIn[0]) return failed(letIn[0].answer.summary, `let in: ${labels(letIn)}`)
  const unserved = tried.find(isUnservedStream)
  if (unserved) return skipped(`the agent does not stream (${unserved.answer.summary})`)
  // A proxy in front may hang up on what is no valid HTTP; whatever else is not refused shows that nobody is kept out.
  const silent = tried.filter(({ answer }) => answer.kind === 'unreadable')
  if (silent[0]) {
    const said = isLate(silent[0].attempt.check) ? warned : failed
    return said(silent[0].answer.summary, `no readable answer to ${labels(silent)}`)
  }
  const unclear = tried.filter(({ answer }) => wasLetIn(answer, run) === 'unclear')
  if (unclear[0]) {
    return {
      ...skipped(`nothing shows whether that is a refusal: ${labels(unclear)}`),
      actual: unclear[0].answer.summary,
    }
  }
  return passed(first.answer.summary)
}

/** A stream that the agent does not have was not opened, but not refused for lack of credentials either. */
function isUnservedStream({ attempt, answer }: Tried): boolean {
  if (attempt.operation !== 'subscribe') return false
  return answer.kind === 'unserved' || /-32004|UNSUPPORTED_OPERATION/.test(answer.signature)
}

function labels(tried: readonly Tried[]): string {
  return [...new Set(tried.map(({ attempt }) => attempt.label))].join(', ')
}
