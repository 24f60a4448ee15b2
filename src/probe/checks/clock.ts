import type { Answer } from '../wire/answer.js'
import type { ProbeCredentials } from '../options.js'
import { passed, skipped, warned, type Verdict } from '../report/report.js'

/**
 * How far the agent's clock is from this one, in milliseconds; positive when it is ahead, 0 when no difference
 * shows. Undefined without a Date header.
 *
 * A Date has whole seconds and was written somewhere between request and answer, so each gives a range; what all
 * ranges have in common is the best estimate.
 */
export function clockOffsetMs(answers: readonly Answer[]): number | undefined {
  let least = -Infinity
  let most = Infinity
  for (const { date, receivedAt, durationMs } of answers) {
    if (!date || !receivedAt) continue
    const low = date.getTime() - receivedAt.getTime()
    const high = low + durationMs + 1000
    // A clock that is set while the probe runs gives ranges that do not meet: the newest counts.
    if (low > most || high < least) [least, most] = [low, high]
    else [least, most] = [Math.max(least, low), Math.min(most, high)]
  }
  if (least === -Infinity) return undefined
  if (least <= 0 && most >= 0) return 0
  return least > 0 ? least : most
}

/** Whether the agent's clock is close enough for codes to match. */
export function judgeClock(answers: readonly Answer[], { window, period }: ProbeCredentials): Verdict {
  const offset = clockOffsetMs(answers)
  if (offset === undefined) return skipped('no answer had a Date of its own')
  const seconds = Math.round(offset / 1000)
  const actual =
    seconds === 0 ? 'no difference' : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`
  // Half a step is the most that a window of 0 lets through more often than not.
  const limit = Math.max(window, 0.5) * period
  return Math.abs(offset) > limit * 1000
    ? warned(actual, `more than the ${limit} s that the window allows; synchronise the clocks (NTP)`)
    : passed(actual)
}
