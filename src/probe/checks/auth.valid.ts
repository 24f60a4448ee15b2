import type { CellCheck } from './check.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { isTaskNotFound } from '../run/compared.js'
import { isShown, isSuccess, validAnswer } from '../run/reading.js'
import { saysUsed } from '../run/used-code.js'
import { longestWait } from '../run/throttle-wait.js'
import type { Answer } from '../wire/answer.js'
import { explainRefusal } from './shared/explain-refusal.js'
import { hypotheses } from './shared/hypotheses.js'
import { failed, passed, skipped, warned, type Verdict } from './verdict.js'

export const authValid: CellCheck = {
  id: 'auth.valid',
  scope: 'cell',
  proves: 'the right token and code are let in',
  expects: 'authenticated',
  needs: ['auth.none'],
  hypotheses,
  judge: judgeValid,
  means:
    'The agent did not let in a token and a code that are right as far as the probe knows. They count as let in if the answer is the TaskNotFound of the binding or, with a warning, another answer of the protocol than callers without credentials get. A page, an empty answer, an HTML 404 or an error of a proxy shows nothing. If every interface refuses them, the probe tries another header and other code lengths, which spends no guess, and reports what it found. If a call is throttled (429, or 503), the run waits once, for as long as Retry-After asks, up to 60 s; a call that is still throttled fails, because nothing showed that anyone is let in. A warning means that the call was let in with an unusual answer.',
  fix: [
    'Clock: compare `date -u` on both hosts. A code is valid for 30 s, ±1 step.',
    'Settings: algorithm, digits, period and header must match on both sides; `a2a-totp show NAME` prints them.',
    'Token and seed belong together: after `rotate`, update the server file first, then give both to the client.',
    'A proxy may strip the header: send a request that bypasses it.',
    '503: the state is down, or an agent with policy `once` has just started and cannot know which codes were used before. Probe again after Retry-After. Or the request was signed, and a body parser such as `express.json()` is mounted in front of the guard: its log says `content-unseen`.',
    'An HTML page or an empty answer: the URL is not that of the A2A endpoint, or something in front answers.',
    '429: earlier wrong codes count. Wait for Retry-After, or run `a2a-totp rotate NAME --now`. If a rate limiter in front counts every request, exempt the probe from it.',
    'A warning that the agent does not know how to get a task: nothing is wrong with its guard. Let it answer GetTask (`tasks/get`) with TaskNotFound; `--strict` counts each warning as a failure.',
  ],
}

/** Whether right credentials were let in, with an explanation where they were not. */
function judgeValid(cell: CellEvidence, evidence: Evidence): Verdict {
  const answer = validAnswer(cell)
  if (!answer) return skipped(cell.whyNotSent)
  return { ...verdictOn(answer, cell, evidence), durationMs: answer.durationMs }
}

function verdictOn(answer: Answer, cell: CellEvidence, evidence: Evidence): Verdict {
  if (answer.kind === 'throttled') return failed(answer.summary, explainThrottling(answer, cell, evidence))
  if (!isSuccess(answer, cell)) return failed(answer.summary, explainRefusal(answer, cell, evidence))
  const sent = cell.exchanges.find(({ stage }) => stage === 'message')?.answer
  if (sent && !['answered', 'authenticated'].includes(sent.kind)) {
    return failed(sent.summary, 'GetTask was let in, but the message was not served')
  }
  const spellings = cell.exchanges.filter(({ stage, discredited }) => stage === 'spelling' && !discredited)
  const throttled = spellings.find((one) => one.answer.kind === 'throttled')
  if (throttled) return warned(throttled.answer.summary, countsSuccesses(throttled.answer))
  const picky = spellings.find((one) => one.answer.kind === 'refused' && !saysUsed(one.answer, cell))
  if (picky) {
    return warned(
      picky.answer.summary,
      `${picky.label} was refused, although it is case-insensitive (RFC 9110)`,
    )
  }
  if (isTaskNotFound(answer)) return passed(answer.summary)
  return warned(answer.summary, `let in${oddityOf(answer)}`)
}

function oddityOf({ kind }: Answer): string {
  if (kind === 'unserved')
    return ': without credentials it is refused; but the agent does not know how to get a task'
  return kind === 'failed'
    ? ', but a missing task is answered as a server error, which clients and proxies take for a failure of the agent'
    : ", but the answer is not this binding's TaskNotFound"
}

/** A throttled call does not show that right credentials are let in, so it fails. */
function explainThrottling(answer: Answer, cell: CellEvidence, { cells }: Evidence): string {
  // No wrong code was sent before this call, so if another cell let one in, other requests count against the limit.
  if (cells.some(isShown)) return countsSuccesses(answer)
  const stranger = cell.exchanges.find(({ stage }) => stage === 'stranger')?.answer
  const who =
    stranger === undefined
      ? 'this peer or host is throttled'
      : stranger.kind === 'throttled'
        ? 'callers with unknown tokens are throttled too: the token may be unknown to the agent, or something counts every request'
        : 'this token is throttled and an unknown one is not: it is live and has spent its budget of wrong codes, or a rate limiter counts every request'
  const { waited } = cell
  const why = waited && 'refused' in waited ? waited.refused : undefined
  const asked = `it asks to wait ${answer.retryAfter ?? 1} s`
  const wait =
    why === 'too-long'
      ? `${asked}, and a run waits at most ${longestWait} s`
      : why === 'deadline'
        ? `${asked}, which is past the deadline of the run`
        : 'it still was after one wait'
  const by =
    answer.by === undefined ? '' : ` (${answer.by} answered, not the agent: exempt the probe, or pass --rate)`
  return `right credentials were not let in: ${who}${by}; ${wait}; probe again later`
}

/** Who counts what it should not, where calls are throttled although no wrong code was sent. */
const countsSuccesses = ({ by }: Answer): string =>
  'let in at first, then throttled before any wrong code was sent: ' +
  (by === undefined
    ? 'the agent counts successes, or every request, against its limit; count only wrong codes, or correct callers are locked out'
    : `${by} counts every request, not the agent: exempt the probe, or pass --rate`)
