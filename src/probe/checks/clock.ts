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
    "The agent's clock is further off than its window allows, going by the Date of its answers: correct codes are refused, or soon will be.",
  fix: [
    'Synchronise both clocks (NTP, chrony). Containers take the clock of their host.',
    'A Date that a cache made can mislead; answers with an Age are left out.',
  ],
}

/** Whether the agent's clock is close enough for codes to match. */
function judgeClock({ exchanges, options: { credentials } }: Evidence): Verdict {
  const { window, period } = credentials
  const offset = clockOffsetMs(exchanges.filter(({ cell }) => cell !== null))
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
