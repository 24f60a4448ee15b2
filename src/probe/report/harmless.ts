import { printable as printableText, printableUrl } from '../../core/text.js'
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
    agent: agent === null ? null : printable(agent),
    narrowed: report.narrowed.map(printable),
    ...(diagnosis === undefined ? {} : { diagnosis: printable(diagnosis) }),
    checks: report.checks.map(harmlessCheck),
  }
}

function harmlessCheck(check: CheckResult): CheckResult {
  return {
    ...check,
    url: check.url === null ? null : printableUrl(check.url),
    expected: printable(check.expected),
    actual: printable(check.actual),
    detail: printable(check.detail),
  }
}

/** A mark at its end may not become a command with the one that a format puts after it. */
const printable = (text: string): string => printableText(text).replace(/[:#]$/, '$& ')
