import type { CardJson } from '../../core/agent-card.js'
import type { Answer } from '../answers.js'
import { isSuccess, type CellRun } from '../cell-run.js'
import type { ProbeCredentials } from '../options.js'
import { failed, passed, skipped, warned, type Verdict } from '../report.js'
import { clockOffsetMs } from './clock.js'
import { totpHeadersOf } from './card.js'

/** What is known besides the cell's own answers. */
export interface Surroundings {
  readonly credentials: ProbeCredentials
  readonly cards: readonly CardJson[]
  /** Every cell of the agent. */
  readonly runs: readonly CellRun[]
}

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

/** The likeliest reason first: what an answer shows for certain, before what can only be guessed. */
function explain(answer: Answer, run: CellRun, { credentials, cards }: Surroundings): string {
  const { header, algorithm, digits, period, window } = credentials
  if (answer.kind === 'redirected') return 'redirects are not followed with credentials; probe the final URL'
  if (answer.kind === 'failed') {
    return answer.status === 503 && answer.retryAfter !== undefined
      ? `the agent cannot check codes now (its state is down?); it says to wait ${answer.retryAfter} s`
      : 'the agent failed on a correct call; its log should say why'
  }
  if (answer.kind === 'unreadable') return 'no readable A2A answer to a correct call'
  if (answer.kind === 'other' && run.tried.some((tried) => tried.answer.signature === answer.signature)) {
    return 'right credentials get the same answer as none: they were refused, or the agent answers everyone so'
  }
  const drift = clockOffsetMs(run.answers)
  if (drift !== undefined && Math.abs(drift) > (window + 0.5) * period * 1000) {
    const seconds = Math.round(drift / 1000)
    return `the agent's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}: no code of now can match`
  }
  const otherHeader = [...challengedHeaders(answer), ...cards.flatMap(totpHeadersOf)].find(
    (name) => name.toLowerCase() !== header.toLowerCase(),
  )
  if (otherHeader !== undefined)
    return `the agent asks for the code in ${otherHeader}, it was sent in ${header}`
  if (answer.retryAfter !== undefined) {
    return `the code counts as used already (Retry-After ${answer.retryAfter} s): the agent's policy is once`
  }
  return (
    `the agent knows another token or seed for this peer, or other code settings than ${algorithm}, ` +
    `${digits} digits, ${period} s; or something in between strips ${header}`
  )
}

/** The header that a `TOTP` challenge names. */
function challengedHeaders({ challenges }: Answer): string[] {
  return challenges.flatMap(
    (challenge) => /\bTOTP\b.*?\bheader="([^"]{1,64})"/i.exec(challenge.slice(0, 500))?.[1] ?? [],
  )
}
