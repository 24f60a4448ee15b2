import type { CellCheck } from './check.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { wasLetIn } from '../run/reading.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const replay: CellCheck = {
  id: 'replay',
  scope: 'cell',
  proves: 'whether a code is good for more than one request',
  expects: 'as the policy says',
  needs: ['auth.none', 'auth.valid'],
  judge: judgeReplay,
  means:
    'Says whether a code is accepted twice. Under policy `reuse` it is, by design, for as long as it lives; that is no failure. Under `once` it must not be (RFC 6238, 5.2), also not at another binding.',
  fix: [
    'Remember the last time step per peer and refuse it and every older one, in one atomic step; a plain "set if absent" is not enough.',
    'All bindings, processes and replicas must share that memory: `redisState` of `a2a-totp/server/redis`.',
  ],
}

/** Whether a code that was accepted is accepted again, here or after it was used in another cell. */
function judgeReplay(cell: CellEvidence, { options: { credentials } }: Evidence): Verdict {
  const { replay: policy } = credentials
  const repeated = cell.exchanges.filter(({ stage }) => stage === 'replay')
  const telling = repeated.filter(({ answer }) => wasLetIn(answer, cell) !== 'unclear')
  const first = telling[0]
  if (!first) return skipped(repeated.length > 0 ? 'no readable answer' : 'no call was let in to be repeated')
  const durationMs = telling.reduce((sum, { answer }) => sum + answer.durationMs, 0)
  const again = telling.find(({ answer }) => wasLetIn(answer, cell) === 'yes')
  if (again) {
    const verdict =
      policy === 'once'
        ? failed(again.answer.summary, `the policy is once, but ${again.label} was accepted (RFC 6238, 5.2)`)
        : passed('accepted again', 'policy reuse: whoever reads a code on its way can use it while it lives')
    return { ...verdict, durationMs }
  }
  const throttled = telling.find(({ answer }) => answer.kind === 'throttled')
  if (throttled) return { ...skipped('throttled, which shows nothing'), actual: throttled.answer.summary }
  return {
    ...passed(
      'refused the second time',
      policy === 'reuse' ? 'the store says reuse, but the agent lets each code in once' : '',
    ),
    durationMs,
  }
}
