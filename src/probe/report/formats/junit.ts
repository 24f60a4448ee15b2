import { columnOf } from '../lines.js'
import { isFailing, type CheckResult, type ProbeReport } from '../report.js'

/**
 * The report as JUnit XML: one suite, a case for each check and cell. The form of Ant's schema, which the others
 * allow: a case holds at most one failure or skip, so what is only warned about stands in the suite's output.
 */
export function renderJunit(report: ProbeReport): string {
  const { checks, target, startedAt, durationMs, summary } = report
  const failures = checks.filter((check) => isFailing(check, report)).length
  const attributes = {
    id: '0',
    name: 'a2a-totp probe',
    package: target,
    // The schema wants no zone and no fraction.
    timestamp: startedAt.slice(0, 19),
    hostname: hostOf(target),
    tests: checks.length,
    failures,
    errors: 0,
    skipped: summary.skipped,
    time: seconds(durationMs),
  }
  const warnings = checks.filter(({ status }) => status === 'warn').map(inWords)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite ${written(attributes)}>`,
    '    <properties/>',
    ...checks.map((check) => caseOf(check, report)),
    `    <system-out>${escaped(warnings.join('\n'))}</system-out>`,
    '    <system-err/>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function caseOf(check: CheckResult, report: ProbeReport): string {
  const { id, status, actual, detail, durationMs } = check
  const open = `    <testcase ${written({ name: id, classname: columnOf(check) || 'agent', time: seconds(durationMs) })}`
  if (isFailing(check, report)) {
    return `${open}><failure ${written({ message: `${actual}: ${detail}`, type: status })}>${escaped(inWords(check))}</failure></testcase>`
  }
  return status === 'skip' ? `${open}><skipped ${written({ message: detail })}/></testcase>` : `${open}/>`
}

function inWords(check: CheckResult): string {
  const { id, status, expected, actual, detail } = check
  return `${status} ${id} ${columnOf(check)}: expected ${expected}, actual ${actual}. ${detail}`
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)

const hostOf = (target: string): string => (URL.canParse(target) ? new URL(target).hostname : 'unknown')

function written(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(' ')
}

/** Reports hold no control characters, so the five that XML names are all there is to escape. */
function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": 'apos',
  }
  return text.replace(/[&<>"']/g, (character) => `&${names[character] ?? ''};`)
}
