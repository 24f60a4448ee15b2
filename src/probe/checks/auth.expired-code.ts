import type { CellCheck } from './check.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import type { Exchange } from '../run/exchange.js'
import { judgeRefusedLate } from './shared/refused.js'
import type { Verdict } from './verdict.js'

export const authExpiredCode: CellCheck = {
  id: 'auth.expired-code',
  scope: 'cell',
  proves: 'an old code is refused',
  expects: 'refused',
  guesses: ({ expired }) => [{ label: 'a code of minutes ago', code: expired }],
  judge: judgeExpired,
  means:
    'A code from more than five minutes ago was let in: the window is far too wide, or codes are stored. Under policy `once` every step before that of a success is spent, so the refusal of an old code shows nothing of the window there.',
  fix: [
    'Use a window of 1 (RFC 6238, 5.2). It is counted in steps, not in seconds: a window of 30 "seconds" may be 30 steps on either side.',
    'Run with `--window-scan` to find out how wide it is.',
  ],
}

/** Whether an old code was refused, with a remark where it is refused for being spent anyway. */
function judgeExpired(cell: CellEvidence, { options: { credentials } }: Evidence): Verdict {
  const verdict = judgeRefusedLate('auth.expired-code', cell)
  const isOnce = credentials.replay === 'once' || cell.exchanges.some(isRefusedAgain)
  const isSigned = cell.exchanges.some(
    ({ check, isSigned: signed }) => check === 'auth.expired-code' && signed,
  )
  if (verdict.status !== 'pass' || !isOnce || isSigned) return verdict
  return { ...verdict, detail: [verdict.detail, spentAnyway].filter(Boolean).join('; ') }
}

const isRefusedAgain = ({ stage, answer, isSigned }: Exchange): boolean =>
  stage === 'replay' && answer.kind === 'refused' && !isSigned

const spentAnyway =
  'under policy once older steps are spent by a success, so this shows nothing of the window'
