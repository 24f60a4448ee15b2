import type { Answer } from '../wire/answer.js'
import { wasLetIn, type CellRun, type Tried } from '../run/cell-run.js'
import { failed, passed, skipped, warned, type Verdict } from '../report/report.js'
import type { Secrets } from '../run/secrets.js'

/** Answers that kept somebody out, in whatever form. */
function refusalsOf(run: CellRun): Tried[] {
  return run.tried.filter(
    ({ attempt, answer }) =>
      wasLetIn(answer, run) === 'no' && !(attempt.operation === 'subscribe' && answer.kind === 'unserved'),
  )
}

/** Whether refusals have the status that clients and proxies understand. */
export function judgeStatus(run: CellRun): Verdict {
  const crashed = run.tried.find(({ answer }) => answer.kind === 'failed')
  if (crashed) {
    return failed(crashed.answer.summary, `${crashed.attempt.label} is answered with a server error`)
  }
  const refusals = refusalsOf(run)
  const odd = refusals.find((tried) => !isProper(tried))
  if (odd) return warned(odd.answer.summary, `${odd.attempt.label}: ${oddity(odd.answer)}`)
  const first = refusals[0]
  return first ? passed(first.answer.summary) : skipped('nothing was refused')
}

/** A header that HTTP itself forbids, doubled or malformed, may be a 400 of the server or a proxy in front. */
function isProper({ attempt, answer }: Tried): boolean {
  if (answer.status === 401 || answer.kind === 'throttled') return true
  return answer.status === 400 && ['auth.malformed-code', 'auth.duplicate-header'].includes(attempt.check)
}

function oddity({ kind, status }: Answer): string {
  if (kind === 'redirected') return 'a redirect is no refusal to a program; answer 401'
  if (status === 403)
    return 'that says that credentials would not help; without valid ones it is 401 (RFC 9110, 15.5.2) or UNAUTHENTICATED'
  if (status === 200) return 'an error inside a 200 looks like a success to proxies and clients; answer 401'
  return 'a refusal should be 401, or UNAUTHENTICATED over gRPC'
}

/** Whether every 401 says how to authenticate. */
export function judgeChallenge(run: CellRun): Verdict {
  const answers = refusalsOf(run).filter(({ answer }) => answer.status === 401)
  const first = answers[0]
  if (!first) return skipped('no answer was a 401')
  const bare = answers.find(({ answer }) => !answer.challenges.some((value) => /^\s*[\w-]+/.test(value)))
  if (!bare) return passed(first.answer.challenges.join(', '))
  return warned(
    `${bare.answer.summary} without WWW-Authenticate`,
    `${bare.attempt.label}: a 401 must carry a challenge (RFC 9110, 15.5.2)`,
  )
}

/**
 * Whether the holder of a token can tell from refusals that it is live: compares like with like, an unknown token
 * with the live one, with a code beside it and without.
 */
export function judgeUniform(run: CellRun): Verdict {
  const pairs = [
    [refusalOf(run, 'auth.wrong-token', true), refusalOf(run, 'auth.wrong-code', true), 'a wrong code'],
    [refusalOf(run, 'auth.wrong-token', false), refusalOf(run, 'auth.bearer-only', false), 'no code'],
  ] as const
  const comparable = pairs.filter(([unknown, live]) => unknown && live)
  if (comparable.length === 0) return skipped('refusals to compare were not sent, or throttled')
  const differing = comparable.find(([unknown, live]) => unknown?.face !== live?.face)
  if (!differing) return passed('the same answer')
  const [unknown, live, beside] = differing
  const summaries = [...new Set([unknown?.summary ?? '', live?.summary ?? ''])]
  return warned(
    summaries.length === 1 ? `${summaries[0] ?? ''}, but with differences` : summaries.join(' and '),
    `with ${beside}, an unknown token and the live one get different answers: a thief learns that it is live`,
  )
}

function refusalOf(run: CellRun, check: Tried['attempt']['check'], withCode: boolean): Answer | undefined {
  return run.tried.find(
    ({ attempt, answer, when }) =>
      attempt.check === check &&
      attempt.fields.length === (withCode ? 2 : 1) &&
      when !== 'after-same-connection' &&
      answer.kind !== 'throttled' &&
      wasLetIn(answer, run) === 'no',
  )?.answer
}

/** Whether an answer, the card's included, gives a secret away. */
export function judgeLeak(answers: readonly Pick<Answer, 'raw' | 'receivedAt'>[], secrets: Secrets): Verdict {
  for (const { raw, receivedAt } of answers) {
    const found = receivedAt && secrets.foundIn(raw, receivedAt)
    if (found) return failed(`an answer holds ${found}`, 'whoever reads answers or their logs can use it')
  }
  return passed(`none in ${answers.length} answers`)
}
