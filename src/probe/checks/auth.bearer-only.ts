import type { CellCheck } from './check.js'
import { bearerField } from '../run/material.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { declaresNoCode, noSecondFactor } from './shared/no-second-factor.js'
import { judgeRefused } from './shared/refused.js'
import { oneGuard } from './shared/advice.js'
import type { Verdict } from './verdict.js'

export const authBearerOnly: CellCheck = {
  id: 'auth.bearer-only',
  scope: 'cell',
  proves: 'a stolen token alone is not enough',
  expects: 'refused',
  attempts: ({ token }) => [{ label: 'the token alone', fields: [bearerField(token)], again: true }],
  judge: judgeBearerOnly,
  means:
    'A token without a code was let in, so the second factor is optional. Anyone who finds the token in a log can call the agent.',
  fix: [
    'Refuse a request without the header; a missing code does not mean "no second factor configured".',
    'Check both factors in one place: nothing should be able to verify a token alone.',
    oneGuard,
  ],
}

function judgeBearerOnly(cell: CellEvidence, evidence: Evidence): Verdict {
  const verdict = judgeRefused('auth.bearer-only', cell)
  if (verdict.status !== 'fail' || !declaresNoCode(evidence)) return verdict
  return { ...verdict, detail: `${verdict.detail}; ${noSecondFactor}` }
}
