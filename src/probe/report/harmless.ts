import { printable, printableUrl } from '../../core/text.js'
import type { CheckResult, ProbeReport } from './report.js'

/**
 * A report without control characters and without commands to a CI runner in any of its texts, whoever wrote them. Each
 * format escapes on top of that what is markup in it.
 */
export function harmless(report: ProbeReport): ProbeReport {
  const { agent, diagnosis } = report
  return {
    ...report,
    target: printableUrl(report.target),
    agent: agent === null ? null : harmlessText(agent),
    narrowed: report.narrowed.map(harmlessText),
    ...(diagnosis === undefined ? {} : { diagnosis: harmlessText(diagnosis) }),
    checks: report.checks.map(harmlessCheck),
  }
}

export function harmlessCheck(check: CheckResult): CheckResult {
  return {
    ...check,
    url: check.url === null ? null : printableUrl(check.url),
    ...(check.tenant !== undefined && { tenant: harmlessText(check.tenant) }),
    expected: harmlessText(check.expected),
    actual: harmlessText(check.actual),
    detail: harmlessText(check.detail),
  }
}

/** Text of a report. A mark at its end may not become a command with the one that a format puts after it. */
export const harmlessText = (text: string): string => printable(text).replace(/[:#]$/, '$& ')
