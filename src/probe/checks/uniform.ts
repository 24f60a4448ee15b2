import type { CellCheck } from './check.js'
import type { CheckId } from '../check-ids.js'
import type { CellEvidence } from '../run/evidence.js'
import { triedIn, wasLetIn } from '../run/reading.js'
import type { Answer } from '../wire/answer.js'
import { passed, skipped, warned, type Verdict } from './verdict.js'

export const uniform: CellCheck = {
  id: 'uniform',
  scope: 'cell',
  proves: 'a thief does not learn that a token is live',
  expects: 'one answer for a bad token and a bad code',
  needs: ['auth.bearer-only', 'auth.wrong-token', 'auth.wrong-code'],
  judge: judgeUniform,
  means:
    'An unknown token and the live one get different answers, so a thief learns that a token is live and worth guessing codes for.',
  fix: [
    'One answer, byte for byte, for an unknown token, a missing, a malformed and a wrong code. The reason belongs into the log.',
    'The same work as well: compare with the codes of a dummy peer where the token is unknown.',
  ],
}

/**
 * Whether the holder of a token can tell from refusals that it is live: compares like with like, an unknown token
 * with the live one, with a code beside it and without.
 */
function judgeUniform(cell: CellEvidence): Verdict {
  const pairs = [
    [refusalOf(cell, 'auth.wrong-token', true), refusalOf(cell, 'auth.wrong-code', true), 'a wrong code'],
    [refusalOf(cell, 'auth.wrong-token', false), refusalOf(cell, 'auth.bearer-only', false), 'no code'],
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

function refusalOf(cell: CellEvidence, check: CheckId, withCode: boolean): Answer | undefined {
  return triedIn(cell).find(
    (tried) =>
      tried.check === check &&
      tried.carried.length === (withCode ? 2 : 1) &&
      tried.when !== 'after-same-connection' &&
      tried.answer.kind !== 'throttled' &&
      wasLetIn(tried.answer, cell) === 'no',
  )?.answer
}
