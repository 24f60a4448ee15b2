import { wasLetIn, type CellRun } from '../run/cell-run.js'
import { failed, passed, skipped, warned, type Verdict } from '../report/report.js'
import type { Scans } from '../run/scans.js'

/** The widest window that an agent should have, in steps on either side (RFC 6238 §5.2 recommends one). */
const widest = 2
/** Answers that take this many times longer than the first ones, and this long, are slowed down. */
const slowedBy = 5
const slowMs = 500

const nowhereIn = 'right credentials were let in nowhere, so this cannot be told'

/** How many steps on either side of now are accepted. */
export function judgeWindow({ window }: Scans): Verdict {
  if (!window) return skipped(nowhereIn)
  if ('problem' in window) return skipped(window.problem)
  const { behind, ahead } = window
  const actual = `${behind} behind, ${ahead} ahead`
  if (Math.max(behind, ahead) <= widest) return passed(actual)
  return warned(actual, 'each step more makes a guess likelier to hit, and a code that was seen live longer')
}

/** Whether many wrong codes in a row are slowed down: by 429, by a lock, or by waiting. */
export function judgeThrottle({ throttle }: Scans, runs: readonly CellRun[]): Verdict {
  const run = runs.find(({ scanned }) => scanned.length > 0)
  if (!throttle || !run) return skipped(nowhereIn)
  const { guesses, throttled, answers, valid } = throttle
  if (throttled) {
    const wait =
      throttled.retryAfter === undefined ? 'no Retry-After' : `Retry-After ${throttled.retryAfter} s`
    return passed(`${throttled.summary} after ${guesses} wrong codes`, wait)
  }
  if (valid && wasLetIn(valid, run) === 'no') {
    return passed(`after ${guesses} wrong codes the right one is refused as well`, 'the peer is locked')
  }
  const mean = (some: typeof answers): number =>
    some.reduce((sum, { durationMs }) => sum + durationMs, 0) / Math.max(some.length, 1)
  const [early, recent] = [mean(answers.slice(0, 3)), mean(answers.slice(-3))]
  if (recent > slowMs && recent > slowedBy * early) {
    return passed(`after ${guesses} wrong codes an answer takes ${Math.round(recent)} ms`)
  }
  return failed(
    `${guesses} wrong codes in a row, none slowed down`,
    'whoever holds the token can try codes until one fits: budget them per peer (RFC 6238, 5.2; RFC 4226, 7.3)',
  )
}
