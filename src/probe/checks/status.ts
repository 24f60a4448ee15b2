import type { CellCheck } from './check.js'
import type { CellEvidence } from '../run/evidence.js'
import { triedIn, type Tried } from '../run/reading.js'
import type { Answer } from '../wire/answer.js'
import { refusalAnswers } from './shared/refusal-answers.js'
import { isMalformedHttp } from './shared/refused.js'
import { failed, passed, skipped, warned, type Verdict } from './verdict.js'

export const status: CellCheck = {
  id: 'status',
  scope: 'cell',
  proves: 'a refusal is one to every client',
  expects: '401',
  needs: ['auth.none', 'auth.bearer-only'],
  judge: judgeStatus,
  means:
    'The caller was kept out, but in a form that clients and proxies take for something else: 403, a redirect, a 200 with an error inside. A server error (5xx, UNKNOWN, INTERNAL) fails: a stranger can make the agent crash, or fill its log.',
  fix: [
    'Answer 401 over HTTP, also for JSON-RPC, and UNAUTHENTICATED over gRPC.',
    '@a2a-js/sdk: refuse in a middleware or interceptor in front; an error thrown in a user builder becomes 500 or UNKNOWN, and its text goes to the caller.',
    'Some verify functions throw on digits of other scripts: check the form first.',
  ],
}

/** Whether refusals have the status that clients and proxies understand. */
function judgeStatus(cell: CellEvidence): Verdict {
  const crashed = triedIn(cell).find(({ answer }) => answer.kind === 'failed')
  if (crashed) return failed(crashed.answer.summary, `${crashed.label} is answered with a server error`)
  const refusals = refusalAnswers(cell)
  const odd = refusals.find((tried) => !isProper(tried))
  if (odd) return warned(odd.answer.summary, `${odd.label}: ${oddity(odd.answer)}`)
  const first = refusals[0]
  return first ? passed(first.answer.summary) : skipped('nothing was refused')
}

function isProper(tried: Tried): boolean {
  const { kind, status } = tried.answer
  return status === 401 || kind === 'throttled' || (status === 400 && isMalformedHttp(tried))
}

function oddity({ kind, status }: Answer): string {
  if (kind === 'redirected') return 'a redirect is no refusal to a program; answer 401'
  if (status === 403)
    return 'that says that credentials would not help; without valid ones it is 401 (RFC 9110, 15.5.2) or UNAUTHENTICATED'
  if (status === 200) return 'an error inside a 200 looks like a success to proxies and clients; answer 401'
  return 'a refusal should be 401, or UNAUTHENTICATED over gRPC'
}
