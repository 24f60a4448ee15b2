import type { CheckId } from '../../check-ids.js'
import type { CellEvidence } from '../../run/evidence.js'
import { isMalformedHttp } from '../../run/malformed.js'
import { isInconclusive, isOpen, triedIn, wasLetIn, type Tried } from '../../run/reading.js'
import { isAnswer } from '../../wire/answer.js'
import { refusedInFront } from './in-front.js'
import { saysNoMethod } from './no-method.js'
import { labelsOf } from './tried.js'
import { failed, passed, skipped, warned, type Verdict } from '../verdict.js'

/** Whether everything that a check sent before any success was refused. */
export function judgeRefused(check: CheckId, cell: CellEvidence): Verdict {
  const beside = besideSuccess(check, cell)
  const before = beside.filter(({ when }) => when === 'before')
  const isTold = (tried: readonly Tried[]): boolean => tried.some(({ answer }) => !isInconclusive(answer))
  if (!isTold(before)) return judgeAll(beside, cell)
  // What was only throttled before a success, and asked again after one.
  const late = beside.filter(({ when, isGuess, label }) => {
    const same = before.filter((one) => one.label === label)
    return when !== 'before' && !isGuess && same.length > 0 && !isTold(same)
  })
  return judgeAll([...before, ...late], cell)
}

/**
 * Whether everything that a check sent after a success was refused. If the success itself is what lets it in,
 * `auth.after-valid` reports that.
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
    ...skipped('the agent lets more in after a success, so this cannot be tested; see auth.after-valid'),
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
  // A rate limiter answers 429 to anyone, so 429 alone is not a refusal (and `coverage` reports it).
  if (tried.every(({ answer }) => answer.kind === 'throttled')) {
    return { ...skipped('every answer was throttled, which shows nothing'), actual: first.answer.summary }
  }
  if (tried.every(({ answer }) => isInconclusive(answer))) {
    const foreign = tried.find(({ answer }) => answer.kind === 'foreign') ?? first
    return {
      ...skipped('no answer came from the agent, which shows nothing'),
      actual: foreign.answer.summary,
    }
  }
  const letIn = tried.filter((one) => wasLetIn(one.answer, cell) === 'yes' && !isUnservedStream(one, cell))
  if (letIn[0]) return failed(letIn[0].answer.summary, `let in: ${labelsOf(letIn)}`)
  const unserved = tried.find((one) => isUnservedStream(one, cell))
  if (unserved) return skipped(`the agent does not stream (${unserved.answer.summary})`)
  // HTTP servers and proxies may hang up on invalid HTTP. Anything else must be refused.
  const silent = tried.filter(({ answer }) => answer.kind === 'unreadable')
  const closed = silent.filter((one) => isMalformedHttp(one) && one.answer.closed === true)
  const speechless = silent.find((one) => !closed.includes(one))
  if (speechless) {
    const judged = silent.every(mayBeRefused) ? warned : failed
    return {
      ...judged(speechless.answer.summary, `no readable answer to: ${labelsOf(silent)}`),
      ...(silent.every(({ answer }) => !isAnswer(answer)) && { unanswered: true }),
    }
  }
  const inFront = tried.filter((one) => refusedInFront(one, cell))
  const unclear = tried.filter(
    (one) => wasLetIn(one.answer, cell) === 'unclear' && !closed.includes(one) && !inFront.includes(one),
  )
  if (unclear[0]) {
    return {
      ...skipped(`cannot tell whether this is a refusal: ${labelsOf(unclear)}`),
      actual: unclear[0].answer.summary,
    }
  }
  const byAgent =
    tried.find((one) => !closed.includes(one) && !inFront.includes(one) && one.answer.kind !== 'throttled') ??
    first
  const throttled = tried.filter((one) => one.answer.kind === 'throttled' && isOpen(one, cell))
  return passed(byAgent.answer.summary, remarksOn(inFront, closed, throttled))
}

/** What is no valid HTTP may be answered in any way, but not with what may be a result. */
function mayBeRefused(tried: Tried): boolean {
  const { unread } = tried.answer
  return isMalformedHttp(tried) && (unread === undefined || (unread.status ?? 200) >= 400)
}

function remarksOn(inFront: readonly Tried[], closed: readonly Tried[], throttled: readonly Tried[]): string {
  const by = [...new Set(inFront.map(({ answer }) => answer.by ?? 'something'))]
  return [
    ...(inFront.length > 0
      ? [`refused by ${by.join(', ')} in front of the agent: ${labelsOf(inFront)}`]
      : []),
    ...(closed.length > 0 ? [`the connection was closed: ${labelsOf(closed)}`] : []),
    ...(throttled.length > 0
      ? [`throttled each time, which counts as refused where others are: ${labelsOf(throttled)}`]
      : []),
  ].join('; ')
}

/**
 * An agent without streams did not open one, but did not refuse it for missing credentials either. One that answers so
 * to every call without credentials refused it.
 */
export function isUnservedStream({ operation, answer }: Tried, cell: CellEvidence): boolean {
  if (operation !== 'subscribe') return false
  const isRefusal = triedIn(cell).some(
    (one) =>
      one.check === 'auth.none' &&
      one.answer.signature === answer.signature &&
      wasLetIn(one.answer, cell) === 'no',
  )
  return !isRefusal && answer.kind !== 'refused' && saysNoMethod(answer)
}

/** The calls with a wrong code that were let in. */
export function wrongCodesLetIn(cell: CellEvidence): Tried[] {
  return besideSuccess('auth.wrong-code', cell).filter(({ answer }) => wasLetIn(answer, cell) === 'yes')
}
