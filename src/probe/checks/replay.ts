import { wasLetIn, type CellRun } from '../run/cell-run.js'
import type { ProbeCredentials } from '../options.js'
import { failed, passed, skipped, type Verdict } from '../report/report.js'

/** Whether a code that was accepted is accepted again, here or after it was used in another cell. */
export function judgeReplay(run: CellRun, { replay }: ProbeCredentials): Verdict {
  const telling = run.replays.filter(({ answer }) => wasLetIn(answer, run) !== 'unclear')
  const first = telling[0]
  if (!first)
    return skipped(run.replays.length > 0 ? 'no readable answer' : 'no call was let in to be repeated')
  const durationMs = telling.reduce((sum, { answer }) => sum + answer.durationMs, 0)
  const again = telling.find(({ answer }) => wasLetIn(answer, run) === 'yes')
  if (again) {
    const verdict =
      replay === 'once'
        ? failed(again.answer.summary, `the policy is once, but ${again.label} was accepted (RFC 6238, 5.2)`)
        : passed('accepted again', 'policy reuse: whoever reads a code on its way can use it while it lives')
    return { ...verdict, durationMs }
  }
  const throttled = telling.find(({ answer }) => answer.kind === 'throttled')
  if (throttled) return { ...skipped('throttled, which shows nothing'), actual: throttled.answer.summary }
  return {
    ...passed(
      'refused the second time',
      replay === 'reuse' ? 'the store says reuse, but the agent lets each code in once' : '',
    ),
    durationMs,
  }
}
