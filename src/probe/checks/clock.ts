import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import { clockOffsetMs } from './shared/clock-offset.js'
import { passed, skipped, warned, type Verdict } from './verdict.js'

export const clock: RunCheck = {
  id: 'clock',
  scope: 'run',
  proves: "the agent's clock agrees with this one",
  expects: 'a Date within the window',
  needs: ['auth.none'],
  judge: judgeClock,
  means:
    "According to the Date of its answers, the agent's clock differs by more than its window allows: correct codes are refused, or soon will be.",
  fix: [
    'Synchronise both clocks (NTP, chrony). Containers use the clock of their host.',
    'Of an answer from a cache the Age is added to the Date; a wrong Age can mislead.',
  ],
}

/** Whether the agent's clock is close enough for codes to match. */
function judgeClock({ exchanges, options: { credentials } }: Evidence): Verdict {
  const { window, period } = credentials
  const offset = clockOffsetMs(exchanges.filter(({ cell }) => cell !== null))
  if (offset === undefined) return skipped('no answer had a Date that is its own')
  const seconds = Math.round(offset / 1000)
  const actual =
    seconds === 0 ? 'no difference' : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`
  // With a window of 0, a difference of up to half a step is accepted more often than not.
  const limit = Math.max(window, 0.5) * period
  return Math.abs(offset) > limit * 1000
    ? warned(actual, `the window allows ${limit} s; synchronise the clocks (NTP)`)
    : passed(actual)
}
