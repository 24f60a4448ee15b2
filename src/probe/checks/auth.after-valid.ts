import type { CellCheck } from './check.js'
import type { CellEvidence } from '../run/evidence.js'
import { isShown, triedIn, wasLetIn, type Tried } from '../run/reading.js'
import { besideCookies } from '../run/success-labels.js'
import { judgeAll, wrongCodesLetIn } from './shared/refused.js'
import { failed, skipped, type Verdict } from './verdict.js'

export const authAfterValid: CellCheck = {
  id: 'auth.after-valid',
  scope: 'cell',
  proves: 'a success does not let later calls in',
  expects: 'refused, as before it',
  needs: ['auth.none', 'auth.bearer-only', 'auth.totp-only', 'auth.valid'],
  judge: judgeAfterValid,
  means:
    'A call that was refused before a success was let in after one, on the same connection or with the same token: the agent remembers an authentication and applies it to other callers. The same calls are sent with the cookies that a success sets as well, without any credentials and beside the token alone, and must not be let in either: neither a session nor a trusted device stands for the second factor. Behind a proxy, connections are shared. If `auth.wrong-code` fails too, the probe cannot tell which of the two it is, because wrong codes are sent last.',
  fix: [
    'Authenticate every request (A2A 0.3, 4.4; 1.0, 7.4); do not cache the result per connection, socket or token, and open no session by cookie.',
    'A cache of results must have the code and its time step in its key.',
  ],
}

/** Whether what was refused before a success still is after it. */
function judgeAfterValid(cell: CellEvidence): Verdict {
  if (!isShown(cell)) return skipped('no call was let in, so nothing came after one')
  const tried = triedIn(cell)
  const isTheSame = (other: Tried, { label }: Tried): boolean =>
    other.label === label || besideCookies(other.label) === label
  const refusedElsewhere = (one: Tried): boolean =>
    tried.some(
      (other) =>
        isTheSame(other, one) &&
        other.when !== 'after-same-connection' &&
        (other.when === 'before' || one.isGuess) &&
        wasLetIn(other.answer, cell) === 'no',
    )
  const after = tried.filter(
    ({ again, when }) => when === 'after-same-connection' || (when === 'after' && again),
  )
  const comparable = after.filter(refusedElsewhere)
  if (comparable.length === 0) return skipped('nothing was refused before the success')
  const verdict = judgeAll(comparable, cell)
  const [wrong] = wrongCodesLetIn(cell)
  if (verdict.status === 'pass' && wrong && refusesWithoutCode(cell)) {
    return failed(
      wrong.answer.summary,
      'let in: a wrong code; guesses are sent only after a success, so the success may be the cause',
    )
  }
  const same = comparable.filter(({ when }) => when === 'after-same-connection')
  const letIn = same.some(({ answer }) => wasLetIn(answer, cell) === 'yes')
  if (letIn) return { ...verdict, detail: `${verdict.detail}; on the connection that carried the success` }
  return same.length > 0 || verdict.status !== 'pass'
    ? verdict
    : { ...verdict, detail: 'on new connections: the agent closes each one after its answer' }
}

/** Whether a call without a code was refused before any success: then the code was looked at. */
function refusesWithoutCode(cell: CellEvidence): boolean {
  const without = triedIn(cell).filter(({ check, when }) => check === 'auth.bearer-only' && when === 'before')
  return without.length > 0 && without.every(({ answer }) => wasLetIn(answer, cell) === 'no')
}
