import type { CellCheck } from './check.js'
import type { ReplayPolicy } from '../../core/profile.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import type { Exchange } from '../run/exchange.js'
import { wasLetIn } from '../run/reading.js'
import { olderStep } from '../run/success-labels.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const replay: CellCheck = {
  id: 'replay',
  scope: 'cell',
  proves: 'whether a code works more than once',
  expects: 'what the policy requires',
  needs: ['auth.none', 'auth.valid'],
  judge: judgeReplay,
  means:
    'Reports whether a code is accepted twice. Under policy `reuse` it is, by design, until it expires; that is not a failure. Under `once` it must not be (RFC 6238, 5.2), not even by another binding or on another connection, which may lead to another replica; and an unused code of an older step than the last one must not be accepted either, which is tried where requests are not signed.',
  fix: [
    'Store the last time step of each peer, and refuse it and every older one in one atomic step; a plain "set if absent" is not enough.',
    'All bindings, processes and replicas must share that state: use `redisState` of `a2a-totp/server/redis`.',
  ],
}

/** Whether a code that was accepted is accepted again, here or after it was used in another cell. */
function judgeReplay(cell: CellEvidence, { options: { credentials } }: Evidence): Verdict {
  const { replay: policy } = credentials
  const repeated = cell.exchanges.filter(({ stage }) => stage === 'replay')
  const telling = repeated.filter(
    ({ answer }) => answer.kind !== 'foreign' && wasLetIn(answer, cell) !== 'unclear',
  )
  const first = telling[0]
  if (!first)
    return skipped(
      repeated.length > 0
        ? `no readable answer, so policy ${policy ?? 'once'} was not tested`
        : 'no call was let in, so none could be repeated',
    )
  const durationMs = telling.reduce((sum, { answer }) => sum + answer.durationMs, 0)
  const again = telling.find(({ answer }) => wasLetIn(answer, cell) === 'yes')
  if (again) {
    return { ...onSecondUse(policy, again), durationMs }
  }
  const throttled = telling.find(({ answer }) => answer.kind === 'throttled')
  if (throttled)
    return { ...skipped('throttled, which shows nothing: not tested'), actual: throttled.answer.summary }
  return { ...passed('refused the second time', remarkOn(telling, policy)), durationMs }
}

/** What the refusals of used codes show, or do not. */
function remarkOn([first, ...others]: readonly Exchange[], policy: ReplayPolicy | undefined): string {
  if (first?.isSigned === true) return 'every request is signed here, and each proof is good for one'
  if (policy === 'reuse')
    return 'the store has policy reuse: the agent accepts each code once, or refuses right credentials at times'
  return others.some(({ label }) => label === olderStep) ? `so was ${olderStep}` : ''
}

/** A code that is accepted twice is a fault under `once` alone, and only the store says which policy a peer has. */
function onSecondUse(policy: ReplayPolicy | undefined, { answer, label, isSigned }: Exchange): Verdict {
  if (isSigned && policy !== 'once') return passed('accepted again', 'as it was signed; see signed.replay')
  switch (policy) {
    case 'once':
      return failed(answer.summary, `the policy is once, but ${label} was accepted (${ruleOn(label)})`)
    case 'reuse':
      return passed(
        'accepted again',
        'policy reuse: anyone who intercepts a code can use it until it expires',
      )
    case undefined:
      return passed(
        'accepted again',
        "policy once was not tested: this peer's policy is not known here; probe with a NAME of the store",
      )
  }
}

const ruleOn = (label: string): string =>
  label === olderStep ? 'a success spends every older step too' : 'RFC 6238, 5.2'
