import type { CellCheck } from './check.js'
import type { CellEvidence } from '../run/evidence.js'
import { bearerField } from '../run/material.js'
import { triedIn, wasLetIn } from '../run/reading.js'
import { isUnservedStream, judgeRefused, wrongCodesLetIn } from './shared/refused.js'
import { labelsOf } from './shared/tried.js'
import { failed, type Verdict } from './verdict.js'
import { oneGuard } from './shared/advice.js'

export const authStream: CellCheck = {
  id: 'auth.stream',
  scope: 'cell',
  proves: 'streams are guarded too',
  expects: 'refused',
  attempts: ({ token }) => [
    { label: 'subscribing without credentials', fields: [], operation: 'subscribe' },
    { label: 'subscribing with the token alone', fields: [bearerField(token)], operation: 'subscribe' },
  ],
  guesses: ({ wrong }) => [
    {
      label: 'subscribing with a wrong code',
      code: wrong,
      operation: 'subscribe',
      with: 'auth.wrong-code',
    },
  ],
  judge: judgeStream,
  means:
    'A stream was opened without the second factor. Streams carry data for authenticated peers, and they often have routes of their own that lack the guard.',
  fix: [
    oneGuard,
    'REST: guard `/tasks/ID:subscribe` and `/message:stream`. gRPC: interceptors must cover streaming calls too.',
  ],
}

/** Whether no stream was opened without the second factor, before any success, and none with a wrong code. */
function judgeStream(cell: CellEvidence): Verdict {
  const verdict = judgeRefused('auth.stream', cell)
  if (verdict.status !== 'pass') return verdict
  const opened = triedIn(cell).filter(
    (one) =>
      one.check === 'auth.stream' &&
      one.isGuess &&
      wasLetIn(one.answer, cell) === 'yes' &&
      !isUnservedStream(one, cell),
  )
  // If every call with a wrong code is let in, the stream is not the cause.
  if (opened[0] === undefined || wrongCodesLetIn(cell).length > 0) return verdict
  return failed(opened[0].answer.summary, `let in: ${labelsOf(opened)}`)
}
