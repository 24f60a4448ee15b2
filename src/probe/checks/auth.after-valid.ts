import type { CellCheck } from './check.js'
import type { CellEvidence } from '../run/evidence.js'
import { isShown, triedIn, wasLetIn, type Tried } from '../run/reading.js'
import { judgeAll, wrongCodesLetIn } from './shared/refused.js'
import { failed, skipped, type Verdict } from './verdict.js'

export const authAfterValid: CellCheck = {
  id: 'auth.after-valid',
  scope: 'cell',
  proves: 'a success opens no door for what follows',
  expects: 'refused, as before it',
  needs: ['auth.none', 'auth.bearer-only', 'auth.totp-only', 'auth.valid'],
  judge: judgeAfterValid,
  means:
    'What was refused before a success was let in after one, on the same connection or with the same token: the agent remembers that somebody was authenticated, and takes others for them. Behind a proxy, connections are shared. With `auth.wrong-code`: wrong codes are sent last, so which of the two it is cannot be told.',
  fix: [
    'Authenticate every request (A2A 0.3, 4.4; 1.0, 7.4); keep no verdict per connection, socket or token.',
    'A cache of verdicts must have the code and its time step in its key.',
  ],
}

/** Whether what was refused before a success still is after it. */
function judgeAfterValid(cell: CellEvidence): Verdict {
  if (!isShown(cell)) return skipped('no call was let in, so there is no "after"')
  const tried = triedIn(cell)
  const refusedElsewhere = ({ label, isGuess }: Tried): boolean =>
    tried.some(
      (other) =>
        other.label === label &&
        other.when !== 'after-same-connection' &&
        (other.when === 'before' || isGuess) &&
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
      'let in: a wrong code; guesses are sent after a success only, so it may be the success that opened the door',
    )
  }
  const same = comparable.filter(({ when }) => when === 'after-same-connection')
  const letIn = same.some(({ answer }) => wasLetIn(answer, cell) === 'yes')
  if (letIn) return { ...verdict, detail: `${verdict.detail}; on the connection that a success came by` }
  return same.length > 0 || verdict.status !== 'pass'
    ? verdict
    : { ...verdict, detail: 'on new connections; the agent closes each after its answer' }
}

/** Whether a call without a code was refused before any success: then the code was looked at. */
function refusesWithoutCode(cell: CellEvidence): boolean {
  const without = triedIn(cell).filter(({ check, when }) => check === 'auth.bearer-only' && when === 'before')
  return without.length > 0 && without.every(({ answer }) => wasLetIn(answer, cell) === 'no')
}
