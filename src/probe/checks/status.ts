import type { CellCheck } from './check.js'
import type { CellEvidence } from '../run/evidence.js'
import { isMalformedHttp } from '../run/malformed.js'
import { triedIn, type Tried } from '../run/reading.js'
import type { Answer } from '../wire/answer.js'
import { refusalAnswers } from './shared/refusal-answers.js'
import { refusedInFront } from './shared/in-front.js'
import { failed, passed, skipped, warned, type Verdict } from './verdict.js'

export const status: CellCheck = {
  id: 'status',
  scope: 'cell',
  proves: 'every client recognises a refusal',
  expects: '401',
  needs: ['auth.none', 'auth.bearer-only'],
  judge: judgeStatus,
  means:
    'The caller was refused in a form that clients and proxies misread: 403, a redirect, a 200 with an error inside. A server error (5xx, UNKNOWN, INTERNAL) fails the check: an unauthenticated caller can crash the agent or fill its log. A 400 to a malformed or duplicate header is proper; the errors of a proxy, a firewall or a rate limiter in front do not count.',
  fix: [
    'Answer 401 over HTTP, including JSON-RPC, and UNAUTHENTICATED over gRPC.',
    '@a2a-js/sdk: refuse in a middleware or interceptor in front; an error thrown in a user builder becomes 500 or UNKNOWN, and its text is sent to the caller.',
    'Some verify functions throw on digits of other scripts: check the format first.',
  ],
}

/** Whether refusals have the status that clients and proxies understand. */
function judgeStatus(cell: CellEvidence): Verdict {
  const crashed = triedIn(cell).find(({ answer }) => answer.kind === 'failed')
  if (crashed) return failed(crashed.answer.summary, `${crashed.label} got a server error`)
  const refusals = refusalAnswers(cell)
  const odd = refusals.find((tried) => !isProper(tried, cell))
  if (odd) return warned(odd.answer.summary, `${odd.label}: ${oddity(odd.answer)}`)
  const first = refusals[0]
  return first ? passed(first.answer.summary) : skipped('nothing was refused')
}

/** A malformed or duplicate header may be answered with 400, and by whatever reads it before the agent. */
function isProper(tried: Tried, cell: CellEvidence): boolean {
  const { kind, status } = tried.answer
  if (status === 401 || kind === 'throttled') return true
  return isMalformedHttp(tried) && (status === 400 || status === 431 || refusedInFront(tried, cell))
}

function oddity({ kind, status }: Answer): string {
  if (kind === 'redirected') return 'a program does not recognise a redirect as a refusal; answer 401'
  if (status === 403)
    return '403 means that credentials would not help; without valid ones, answer 401 (RFC 9110, 15.5.2) or UNAUTHENTICATED'
  if (status === 200) return 'proxies and clients take an error inside a 200 for a success; answer 401'
  return 'a refusal should be 401, or UNAUTHENTICATED over gRPC'
}
