import type { CellCheck } from './check.js'
import type { CheckId } from '../check-ids.js'
import type { CellEvidence } from '../run/evidence.js'
import { bearerField } from '../run/material.js'
import { isTelling } from '../run/compared.js'
import { triedIn, wasLetIn } from '../run/reading.js'
import type { Answer } from '../wire/answer.js'
import { steadyBy } from './shared/steady-faces.js'
import { passed, skipped, warned, type Verdict } from './verdict.js'

export const uniform: CellCheck = {
  id: 'uniform',
  scope: 'cell',
  proves: 'refusals do not reveal whether a token is live',
  expects: 'the same answer for a bad token and a bad code',
  needs: ['auth.bearer-only', 'auth.wrong-token', 'auth.wrong-code'],
  late: true,
  attempts: ({ unknownToken }) => [
    { label: 'another unknown token alone', fields: [bearerField(unknownToken)] },
  ],
  judge: judgeUniform,
  means:
    'An unknown token and the live one get different answers, so an attacker learns which token is live and worth guessing codes for. Answers of a rate limiter or of a proxy are not compared.',
  fix: [
    'Send the same answer, byte for byte, for an unknown token and for a missing, malformed or wrong code. The reason belongs in the log.',
    'Do the same work too: for an unknown token, compare with the codes of a dummy peer.',
  ],
}

/**
 * Whether refusals reveal to the holder of a token that it is live: compares an unknown token with the live one, both
 * with a code and both without. What differs between two unknown ones, such as an id, is not compared.
 */
function judgeUniform(cell: CellEvidence): Verdict {
  const pairs = [
    [refusalOf(cell, 'auth.wrong-token', true), refusalOf(cell, 'auth.wrong-code', true), 'a wrong code'],
    [refusalOf(cell, 'auth.wrong-token', false), refusalOf(cell, 'auth.bearer-only', false), 'no code'],
  ] as const
  const comparable = pairs.filter(([unknown, live]) => unknown && live)
  if (comparable.length === 0)
    return skipped('there are no two refusals to compare: those calls were let in, throttled or not sent')
  const steady = steadyIn(cell)
  const differing = comparable.find(
    ([unknown, live]) => steady(unknown?.face ?? '') !== steady(live?.face ?? ''),
  )
  if (!differing) return passed('the same answer')
  const [unknown, live, beside] = differing
  const summaries = [...new Set([unknown?.summary ?? '', live?.summary ?? ''])]
  return warned(
    summaries.length === 1 ? `${summaries[0] ?? ''}, but with differences` : summaries.join(' and '),
    `with ${beside}, an unknown token and the live one get different answers, which reveals that it is live`,
  )
}

function steadyIn(cell: CellEvidence): (face: string) => string {
  const [one, other] = [refusalOf(cell, 'auth.wrong-token', false), refusalOf(cell, 'uniform', false)]
  return one && other ? steadyBy(one.face, other.face) : (face) => face
}

function refusalOf(cell: CellEvidence, check: CheckId, withCode: boolean): Answer | undefined {
  return triedIn(cell).find(
    (tried) =>
      tried.check === check &&
      tried.carried.length === (withCode ? 2 : 1) &&
      tried.when !== 'after-same-connection' &&
      isTelling(tried.answer) &&
      wasLetIn(tried.answer, cell) === 'no',
  )?.answer
}
