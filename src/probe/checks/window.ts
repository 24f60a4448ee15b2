import type { RunCheck } from './check.js'
import { timeStepAt } from '../../core/totp.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { isTelling } from '../run/compared.js'
import { wasLetIn } from '../run/reading.js'
import { scanLabels } from '../run/scan-labels.js'
import { letInNowhere, scanOf } from './shared/scan.js'
import { passed, skipped, warned, type Verdict } from './verdict.js'

export const window: RunCheck = {
  id: 'window',
  scope: 'run',
  proves: 'few time steps are accepted',
  expects: 'at most 2 steps either side',
  needs: ['auth.none', 'auth.valid'],
  optIn: true,
  judge: judgeWindow,
  means:
    'Runs only with `--window-scan`. Every additional time step that is accepted makes a guess more likely to succeed, and keeps an observed code valid for longer. RFC 6238, 5.2 recommends one step; two are tolerable.',
  fix: [
    'Reduce the window: `--window` of `a2a-totp init`, `valid_window` in pyotp, `window` in otplib and otpauth.',
    'Fix the clocks instead of widening the window.',
  ],
}

/** The widest acceptable window, in steps on either side (RFC 6238 §5.2 recommends one). */
const widest = 2

/** How many steps on either side of now are accepted. */
function judgeWindow(evidence: Evidence): Verdict {
  const problem = evidence.whyNotSent.window
  if (problem !== undefined) return skipped(problem)
  const scan = scanOf('window', evidence)
  if (!scan) return letInNowhere
  const { cell, exchanges } = scan
  if (exchanges.some(({ answer }) => !isTelling(answer))) {
    return skipped('the agent throttled the scan')
  }
  if (spansSteps(exchanges, evidence)) return skipped('the time step ended during the scan')
  const accepted = (label: string): number =>
    exchanges.filter((one) => one.label === label && wasLetIn(one.answer, cell) === 'yes').length
  const [behind, ahead] = [accepted(scanLabels.behind), accepted(scanLabels.ahead)]
  const actual = `${behind} behind, ${ahead} ahead`
  if (Math.max(behind, ahead) <= widest) return passed(actual)
  return warned(
    actual,
    'each additional step makes a guess more likely to succeed and keeps an observed code valid for longer',
  )
}

/** Whether the time step changed during the scan, so that its codes are not of the steps they were sent for. */
function spansSteps(exchanges: CellEvidence['exchanges'], { options: { credentials } }: Evidence): boolean {
  const instants = exchanges.flatMap(({ sentAt, answer }) => [sentAt, answer.receivedAt ?? sentAt])
  return new Set(instants.map((at) => timeStepAt(credentials, at))).size > 1
}
