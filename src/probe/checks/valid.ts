import type { Answer } from '../answers.js'
import { isSuccess, type CellRun } from '../cell-run.js'
import { failed, passed, skipped, warned, type Verdict } from '../report.js'
import { explain, type Surroundings } from './explain.js'

/** Whether right credentials were let in, with an explanation where they were not. */
export function judgeValid(run: CellRun, surroundings: Surroundings): Verdict {
  const answer = run.valid
  if (!answer) return skipped(run.whyNotSent)
  return { ...judge(answer, run, surroundings), durationMs: answer.durationMs }
}

function judge(answer: Answer, run: CellRun, surroundings: Surroundings): Verdict {
  if (answer.kind === 'throttled') return judgeThrottled(answer, run, surroundings)
  if (!isSuccess(answer, run)) return failed(answer.summary, explain(answer, run, surroundings))
  const sent = run.sendAnswer
  if (sent && !['answered', 'authenticated'].includes(sent.kind)) {
    return failed(sent.summary, 'GetTask was let in, but the message was not served')
  }
  const throttled = run.spellings.find(({ answer: { kind } }) => kind === 'throttled')
  if (throttled) return countsSuccesses(throttled.answer)
  const picky = run.spellings.find(
    ({ answer: { kind, retryAfter } }) => kind === 'refused' && retryAfter === undefined,
  )
  if (picky) {
    return warned(
      picky.answer.summary,
      `${picky.label} was refused, though case does not matter there (RFC 9110)`,
    )
  }
  return answer.kind === 'authenticated'
    ? passed(answer.summary)
    : warned(answer.summary, "let in, but the answer is not this binding's TaskNotFound")
}

/** A throttled call shows nothing of right credentials; how a stranger is answered tells who is throttled. */
function judgeThrottled(answer: Answer, { stranger }: CellRun, { runs }: Surroundings): Verdict {
  // No wrong code has been sent by now, so a success before this one means that other requests count.
  if (runs.some((other) => other.valid && isSuccess(other.valid, other))) return countsSuccesses(answer)
  const wait = answer.retryAfter === undefined ? '' : `; it says to wait ${answer.retryAfter} s (Retry-After)`
  const who =
    stranger === undefined
      ? 'this peer or host'
      : stranger.kind === 'throttled'
        ? 'callers with unknown tokens too'
        : 'this token, and no unknown one: it is live, and its budget of wrong codes is spent'
  return { ...skipped(`the agent throttles ${who}${wait}`), actual: answer.summary }
}

const countsSuccesses = ({ summary }: Answer): Verdict =>
  warned(
    summary,
    'let in at first, then throttled before any wrong code was sent: the agent counts successes, or every request, ' +
      'against its limit; only wrong codes should count, or correct callers are shut out',
  )
