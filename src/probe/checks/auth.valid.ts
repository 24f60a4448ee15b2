import type { CellCheck } from './check.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { isShown, isSuccess, validAnswer } from '../run/reading.js'
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
    'Token and code are right as far as the probe knows, and the agent did not let them in. Where they are refused everywhere, the probe tries another header and other lengths of code, which spends no guess, and reports what it found. Throttled (429, or 503) it waits once, as long as Retry-After says, up to 60 s; still throttled after that fails, since nothing showed that anybody is let in. A warning: let in, but unusually.',
  fix: [
    'Clock: compare `date -u` on both hosts. Codes live 30 s, ±1 step.',
    'Settings: algorithm, digits, period and header must be the same on both sides; `a2a-totp show NAME` has them.',
    'Token and seed belong together: after `rotate`, give both to the client and reload the server.',
    'A proxy may strip the header: send one request past it.',
    '503: the state is down, or an agent with policy once has just started: codes of before its start may have been used. Probe again when Retry-After has passed.',
    '429: earlier wrong codes count; wait as long as Retry-After says, or `a2a-totp rotate NAME --now`. A limiter in front that counts every request: let the probe pass it.',
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
  const spellings = cell.exchanges.filter(({ stage }) => stage === 'spelling')
  const throttled = spellings.find((one) => one.answer.kind === 'throttled')
  if (throttled) return warned(throttled.answer.summary, countsSuccesses)
  const picky = spellings.find((one) => one.answer.kind === 'refused' && one.answer.retryAfter === undefined)
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
function explainThrottling(answer: Answer, cell: CellEvidence, { cells }: Evidence): string {
  // No wrong code has been sent by now, so a success before this one means that other requests count.
  if (cells.some(isShown)) return countsSuccesses
  const stranger = cell.exchanges.find(({ stage }) => stage === 'stranger')?.answer
  const who =
    stranger === undefined
      ? 'this peer or host is throttled'
      : stranger.kind === 'throttled'
        ? 'callers with unknown tokens are throttled too: the token may be unknown to the agent, or something counts every request'
        : 'this token is throttled and an unknown one is not: it is live, and spent its budget of wrong codes, or a limiter counts every request'
  const { waited } = cell
  const wait =
    waited && 'refused' in waited && waited.refused === 'too-long'
      ? `it says to wait ${answer.retryAfter ?? 0} s, and a run waits ${longestWait} s at most`
      : 'still so after one wait'
  return `right credentials were not let in: ${who}; ${wait}; probe again later`
}

const countsSuccesses =
  'let in at first, then throttled before any wrong code was sent: the agent counts successes, or every request, ' +
  'against its limit; only wrong codes should count, or correct callers are shut out'
