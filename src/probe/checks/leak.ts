import type { CellCheck } from './check.js'
import { count } from '../../core/text.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import type { Answer } from '../wire/answer.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const leak: CellCheck = {
  id: 'leak',
  scope: 'cell',
  proves: 'no answer contains a secret',
  expects: 'no seed, token or valid code',
  needs: ['auth.none', 'auth.bearer-only'],
  judge: judgeLeak,
  means:
    'An answer contains a seed, a token or a valid code. Anyone who reads answers, or logs of them, can use it.',
  fix: [
    'Remove debug headers and echoed headers from error answers.',
    'Rotate what was exposed: `a2a-totp rotate NAME --now`.',
  ],
}

/** Whether an answer, including those of the card, contains a secret. */
function judgeLeak({ cell: own }: CellEvidence, { exchanges: all, secrets }: Evidence): Verdict {
  const answers = all
    .filter(({ cell, answer }) => cell === own || (cell === null && answer.status !== null))
    .map(({ answer }) => answer)
  for (const { raw, receivedAt } of answers) {
    const found = receivedAt && secrets.foundIn(raw, receivedAt)
    if (found)
      return failed(`an answer contains ${found}`, 'anyone who reads answers or their logs can use it')
  }
  if (repeatsDecimals(answers, secrets))
    return failed('several answers contain a valid code', 'anyone who reads answers or their logs can use it')
  const unread = answers.filter((answer) => answer.unread)
  return unread[0]
    ? {
        ...skipped(`${count(unread.length, 'answer')} could not be read to the end`),
        actual: unread[0].summary,
      }
    : passed(`none in ${answers.length} answers`)
}

/** Whether two answers have the same valid code as decimals of a number: in one it may be a time. */
function repeatsDecimals(answers: readonly Answer[], secrets: Evidence['secrets']): boolean {
  const decimals = answers.flatMap(({ raw, receivedAt }) =>
    receivedAt ? secrets.decimalsIn(raw, receivedAt) : [],
  )
  return new Set(decimals).size < decimals.length
}
