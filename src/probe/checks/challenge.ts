import type { CellCheck } from './check.js'
import type { CellEvidence } from '../run/evidence.js'
import { refusalAnswers } from './shared/refusal-answers.js'
import { passed, skipped, warned, type Verdict } from './verdict.js'

export const challenge: CellCheck = {
  id: 'challenge',
  scope: 'cell',
  proves: 'a refusal names what is missing',
  expects: 'WWW-Authenticate with every 401',
  needs: ['auth.none', 'auth.bearer-only'],
  judge: judgeChallenge,
  means: 'A 401 has no WWW-Authenticate, so clients do not learn how to authenticate (RFC 9110, 15.5.2).',
  fix: [
    'Send `WWW-Authenticate: Bearer realm="a2a", error="invalid_token"` and `TOTP realm="a2a", header="X-TOTP"`; over gRPC, send them as trailers.',
    'Always include a realm: some parsers drop a bare `Bearer`.',
  ],
}

/** Whether every 401 says how to authenticate. */
function judgeChallenge(cell: CellEvidence): Verdict {
  const refusals = refusalAnswers(cell).filter(({ answer }) => answer.status === 401)
  const first = refusals[0]
  if (!first) return skipped('no answer was a 401')
  const bare = refusals.find(({ answer }) => !answer.challenges.some((value) => /^\s*[\w-]+/.test(value)))
  if (!bare) return passed(first.answer.challenges.join(', '))
  return warned(
    `${bare.answer.summary} without WWW-Authenticate`,
    `${bare.label}: a 401 must carry a challenge (RFC 9110, 15.5.2)`,
  )
}
