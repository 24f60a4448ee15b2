import type { CellCheck } from './check.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { failed, passed, type Verdict } from './verdict.js'

export const leak: CellCheck = {
  id: 'leak',
  scope: 'cell',
  proves: 'no answer gives a secret away',
  expects: 'no seed, token or valid code',
  needs: ['auth.none', 'auth.bearer-only'],
  judge: judgeLeak,
  means:
    'An answer holds a seed, a token or a valid code. Whoever sees answers, or logs of them, can use it.',
  fix: [
    'Take debug headers and echoed headers out of error answers.',
    'Rotate what was shown: `a2a-totp rotate NAME --now`.',
  ],
}

/** Whether an answer, the card's included, gives a secret away. */
function judgeLeak({ exchanges }: CellEvidence, { exchanges: all, secrets }: Evidence): Verdict {
  const cards = all.filter(({ stage, answer }) => stage === 'card' && answer.status !== null)
  const answers = [...exchanges, ...cards].map(({ answer }) => answer)
  for (const { raw, receivedAt } of answers) {
    const found = receivedAt && secrets.foundIn(raw, receivedAt)
    if (found) return failed(`an answer holds ${found}`, 'whoever reads answers or their logs can use it')
  }
  return passed(`none in ${answers.length} answers`)
}
