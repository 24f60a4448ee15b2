import { columnsOf, titleIn, type Column } from '../columns.js'
import { isFailing, type CheckResult, type ProbeReport } from '../report.js'
import { diagnosisOf, explainCommand } from '../words.js'

/**
 * The report as JUnit XML: one suite, a case for each check and cell. The form of Ant's schema, which the others
 * allow: a case holds at most one failure or skip, so what is only warned about stands in the suite's output.
 */
export function renderJunit(report: ProbeReport): string {
  const { checks, target, startedAt, durationMs, summary } = report
  const columns = columnsOf(checks)
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
  const warnings = checks.filter(({ status }) => status === 'warn').map((check) => inWords(check, columns))
  const diagnosis = diagnosisOf(report)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite ${written(attributes)}>`,
    ...propertiesOf(report, columns),
    ...checks.map((check) => caseOf(check, report, columns)),
    `    <system-out>${escaped([...warnings, ...(diagnosis === '' ? [] : [diagnosis])].join('\n'))}</system-out>`,
    '    <system-err/>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function propertiesOf({ diagnosis, explain, narrowed }: ProbeReport, columns: readonly Column[]): string[] {
  const properties = [
    ...(diagnosis === undefined ? [] : [['diagnosis', diagnosis]]),
    ...(explain === undefined ? [] : [['explain', explainCommand(explain)]]),
    ...(narrowed.length === 0 ? [] : [['narrowed', narrowed.join(' ')]]),
    ...columns.map(({ title, url }) => [title, url]),
  ]
  if (properties.length === 0) return ['    <properties/>']
  return [
    '    <properties>',
    ...properties.map(([name = '', value = '']) => `      <property ${written({ name, value })}/>`),
    '    </properties>',
  ]
}

function caseOf(check: CheckResult, report: ProbeReport, columns: readonly Column[]): string {
  const { id, status, actual, detail, durationMs } = check
  const classname = titleIn(columns, check) || 'agent'
  const open = `    <testcase ${written({ name: id, classname, time: seconds(durationMs) })}`
  if (isFailing(check, report)) {
    const words = `${inWords(check, columns)} (${explainCommand(id)})`
    return `${open}><failure ${written({ message: `${actual}: ${detail}`, type: status })}>${escaped(words)}</failure></testcase>`
  }
  return status === 'skip' ? `${open}><skipped ${written({ message: detail })}/></testcase>` : `${open}/>`
}

function inWords(check: CheckResult, columns: readonly Column[]): string {
  const { id, status, expected, actual, detail } = check
  return `${status} ${id} ${titleIn(columns, check)}: expected ${expected}, actual ${actual}. ${detail}`
}

/** A time as the schema has it. */
export const seconds = (ms: number): string => (ms / 1000).toFixed(3)

const hostOf = (target: string): string => (URL.canParse(target) ? new URL(target).hostname : 'unknown')

/** The attributes of an element. */
export function written(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(' ')
}

/** Reports hold no control characters, so the five that XML names are all there is to escape. */
export function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": 'apos',
  }
  return text.replace(/[&<>"']/g, (character) => `&${names[character] ?? ''};`)
}
