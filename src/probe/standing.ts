import type { CheckId } from './check-ids.js'
import { checks } from './checks/index.js'
import { columnsOf, titleIn } from './report/columns.js'
import { isFailing, summarise, type CheckResult, type ProbeReport } from './report/report.js'

/** Checks that judge every answer of a run, and so those to wrong codes too. */
const ofEveryAnswer: ReadonlySet<CheckId> = new Set(['auth.after-valid', 'challenge', 'status', 'leak'])

const sendsGuesses = (id: CheckId): boolean => checks[id].guesses !== undefined

/** Whether wrong codes may have decided a result. */
const restsOnGuesses = (id: CheckId): boolean =>
  sendsGuesses(id) || ofEveryAnswer.has(id) || (checks[id].needs ?? []).some(sendsGuesses)

/**
 * Completes the report of a run without wrong codes (`noGuesses`) by the last run with them, so that what those showed
 * stands until they are sent again: a failure or warning remains one, and an interface that was not tried with wrong
 * codes then is a gap of `coverage`.
 *
 * @param guessed the report of the last run with wrong codes; undefined if there was none
 * @param reason the `noGuesses` of the run
 */
export function withStanding(
  report: ProbeReport,
  guessed: ProbeReport | undefined,
  reason: string,
): ProbeReport {
  const results = report.checks.map((check) => {
    const last = guessed?.checks.find((one) => isSame(one, check))
    return last && restsOnGuesses(check.id) && isWorse(last, check)
      ? { ...last, detail: [last.detail, reason].filter(Boolean).join('; ') }
      : check
  })
  const untried = report.checks.filter(
    (check) =>
      check.status === 'skip' &&
      check.detail === reason &&
      !guessed?.checks.some((one) => isSame(one, check) && one.status !== 'skip'),
  )
  const completed = untried.length === 0 ? results : withGap(results, untried, reason)
  const diagnosis = report.diagnosis ?? guessed?.diagnosis
  const explain = report.diagnosis === undefined ? guessed?.explain : report.explain
  const ok = !completed.some((check) => isFailing(check, report))
  return {
    ...report,
    ok,
    summary: summarise(completed),
    ...(ok || diagnosis === undefined ? {} : { diagnosis }),
    ...(ok || explain === undefined ? {} : { explain }),
    checks: completed,
  }
}

/** Whether two results are of one check in one cell. */
const isSame = (one: CheckResult, other: CheckResult): boolean =>
  one.id === other.id &&
  one.binding === other.binding &&
  one.protocolVersion === other.protocolVersion &&
  one.url === other.url &&
  one.tenant === other.tenant

const severities = { skip: 0, pass: 0, warn: 1, fail: 2 } as const

const isWorse = (one: CheckResult, other: CheckResult): boolean =>
  severities[one.status] > severities[other.status]

/** `coverage`, failed for what no wrong code was sent for yet. */
function withGap(
  results: readonly CheckResult[],
  untried: readonly CheckResult[],
  reason: string,
): CheckResult[] {
  const columns = columnsOf(results)
  const named = untried.map((check) => [check.id, titleIn(columns, check)].filter(Boolean).join(' in '))
  const gap = `no wrong code was sent yet for ${named.join(', ')}; ${reason}`
  const found = results.find(({ id }) => id === 'coverage')
  const failed: CheckResult = {
    ...{ id: 'coverage', binding: null, protocolVersion: null, url: null, durationMs: 0 },
    ...{ status: 'fail', expected: checks.coverage.expects, actual: 'gaps' },
    detail: found?.status === 'fail' ? `${found.detail}; ${gap}` : gap,
  }
  return found ? results.map((one) => (one === found ? failed : one)) : [...results, failed]
}
