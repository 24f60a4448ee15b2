import type { Answer } from '../wire/answer.js'
import { isSuccess, type CellRun } from '../run/cell-run.js'
import { failed, passed, skipped, warned, type Verdict } from '../report/report.js'
import { longestWait } from '../run/throttle-wait.js'
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
  if (throttled) return warned(throttled.answer.summary, countsSuccesses)
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

/** A throttled call shows nothing of right credentials, so they were not let in as far as anybody knows. */
function judgeThrottled(answer: Answer, { stranger, waited }: CellRun, { runs }: Surroundings): Verdict {
  // No wrong code has been sent by now, so a success before this one means that other requests count.
  if (runs.some((other) => other.valid && isSuccess(other.valid, other)))
    return failed(answer.summary, countsSuccesses)
  const who =
    stranger === undefined
      ? 'this peer or host is throttled'
      : stranger.kind === 'throttled'
        ? 'callers with unknown tokens are throttled too: the token may be unknown to the agent, or something counts every request'
        : 'this token is throttled and an unknown one is not: it is live, and spent its budget of wrong codes, or a limiter counts every request'
  const wait =
    waited && 'refused' in waited && waited.refused === 'too-long'
      ? `it says to wait ${answer.retryAfter ?? 0} s, and a run waits ${longestWait} s at most`
      : 'still so after one wait'
  return failed(answer.summary, `right credentials were not let in: ${who}; ${wait}; probe again later`)
}

const countsSuccesses =
  'let in at first, then throttled before any wrong code was sent: the agent counts successes, or every request, ' +
  'against its limit; only wrong codes should count, or correct callers are shut out'
