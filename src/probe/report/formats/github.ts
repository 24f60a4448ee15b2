import { addressesOf, columnsOf, titleIn } from '../columns.js'
import { findingsOf, placeOf, subjectOf, type Finding } from '../findings.js'
import { isFailing, type ProbeReport } from '../report.js'
import { costOf, countsOf, diagnosisOf, explainCommand, joined, narrowingOf, verdictOf } from '../words.js'

/** GitHub shows this many annotations of each level for a step, and drops the others. */
export const mostOfLevel = 10

export type Level = 'error' | 'warning' | 'notice'

export interface Annotation {
  readonly title: string
  readonly message: string
  /** Where GitHub shows it: a file of the repository, and the line in it. */
  readonly file?: string
  readonly line?: number
}

/**
 * The report as workflow commands of GitHub Actions: the diagnosis, an annotation for each finding, and one for the
 * verdict.
 */
export function renderGithub(report: ProbeReport): string {
  const columns = columnsOf(report.checks)
  const narrowing = narrowingOf(report)
  const diagnosis = diagnosisOf(report)
  const findings = findingsOf(report.checks).filter(({ status }) => status !== 'skip')
  const failing = findings.filter((finding) => isFailing(finding, report))
  const errors = failing.map(annotationOf)
  const warnings = findings.filter((finding) => !failing.includes(finding)).map(annotationOf)
  const lines = [
    ...limited(errors).map((one) => command('error', one)),
    ...limited(warnings).map((one) => command('warning', one)),
  ]
  const ignored = report.checks
    .filter((check) => check.ignored === true)
    .map((check) => ({ title: joined(' ', check.id, titleIn(columns, check)), message: check.detail }))
  lines.push(...limited(ignored, mostOfLevel - 2).map((one) => command('notice', one)))
  // First what explains the findings, and that the run was narrowed.
  const opening = joined('\n', diagnosis, narrowing)
  if (opening !== '' && lines.length > 0) {
    lines.unshift(command('notice', { title: probeTitle, message: opening }))
  }
  return `${[...lines, command('notice', verdict(report))].join('\n')}\n`
}

const probeTitle = 'a2a-totp probe'

function verdict(report: ProbeReport): Annotation {
  const addresses = addressesOf(columnsOf(report.checks)).map(({ titles, url }) => `${titles}: ${url}`)
  const message = `${verdictOf(report)} ${countsOf(report)} (${costOf(report)})`
  return { title: probeTitle, message: joined('\n', message, ...addresses, narrowingOf(report)) }
}

/** What one finding says. */
export function annotationOf(finding: Finding): Annotation {
  const { ids, columns, expected, answers, remarks } = finding
  const names = ids.join(', ')
  const actual = answers.map((answer) => {
    const place = placeOf(answer, finding)
    return `${answer.actual}${place === '' ? '' : ` (${place})`}`
  })
  const details = remarks.map((remark) => joined(': ', subjectOf(remark, finding), remark.text))
  const message = joined(
    ' ',
    `expected ${expected}, actual ${actual.join(', ')}.`,
    details.join('; '),
    ids[0] === undefined ? '' : `(${explainCommand(ids[0])})`,
  )
  return { title: columns.length > 0 ? `${names} (${columns.join(', ')})` : names, message }
}

/** The annotations, the last of them for all that are too many. */
export function limited(all: readonly Annotation[], most = mostOfLevel): readonly Annotation[] {
  if (all.length <= most) return all
  const rest = all.slice(most - 1)
  const titles = rest.map(({ title }) => title).join('; ')
  return [
    ...all.slice(0, most - 1),
    { title: `and ${rest.length} more findings`, message: `${titles}. The report has all of them.` },
  ]
}

/** What an agent says ends up in the message only, where its `::` and line ends mean nothing any more. */
export function command(level: Level, { title, message, file, line }: Annotation): string {
  const properties = Object.entries({ file, line, title }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${property(String(value))}`],
  )
  return `::${level} ${properties.join(',')}::${escaped(message)}`
}

const property = (value: string): string => escaped(value).replaceAll(':', '%3A').replaceAll(',', '%2C')

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
