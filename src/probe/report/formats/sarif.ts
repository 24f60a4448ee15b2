import { createHash } from 'node:crypto'
import { jsonText } from '../../../core/text.js'
import { isLoopback } from '../../../core/url.js'
import { checkIds, type CheckId } from '../../check-ids.js'
import { columnsOf, titleIn, type Column } from '../columns.js'
import { isFailing, type CheckResult, type ProbeReport } from '../report.js'
import { costOf, countsOf, explainCommand, joined } from '../words.js'
import type { CheckTexts, FormatOptions } from './options.js'
import { severityOf, tagsOf } from './sarif-severity.js'

/** What paths are relative to, by the name that GitHub gives it. */
export const top = '%SRCROOT%'

/** Where results are shown if the caller names no file. */
const usualLocation = 'a2a-totp.json'

/**
 * The report as SARIF 2.1.0, within the limits of GitHub's code scanning: a rule for each check in every run, a result
 * for each failure and warning and for what is ignored, at a file of the repository.
 */
export function renderSarif(
  report: ProbeReport,
  { location = usualLocation, version }: FormatOptions,
  textsOf: (id: CheckId) => CheckTexts,
): string {
  const { checks, target, narrowed, diagnosis, explain } = report
  const columns = columnsOf(checks)
  const results = checks
    .filter(({ status, ignored }) => status === 'fail' || status === 'warn' || ignored === true)
    .map((check) => resultOf(check, { report, columns, location }))
  return documentOf(report, {
    tool: 'a2a-totp probe',
    version,
    rules: checkIds.map((id) => ruleOf(id, textsOf(id))),
    // GitHub keeps the results of each category apart, so two agents do not close each other's alerts.
    category: `a2a-totp-probe/${fingerprint(identityOf(report)).slice(0, 16)}/`,
    results,
    properties: {
      target,
      agent: report.agent ?? '',
      ok: report.ok,
      narrowed,
      ...(diagnosis === undefined ? {} : { diagnosis }),
      ...(explain === undefined ? {} : { explain: explainCommand(explain) }),
      interfaces: columns.map(({ title, url }) => ({ title, url })),
    },
  })
}

/** What differs between the runs of different commands. */
export interface SarifRun {
  readonly tool: string
  readonly version: string | undefined
  readonly rules: readonly object[]
  readonly category: string
  readonly results: readonly object[]
  readonly properties: object
}

/** A document with one run. */
export function documentOf(
  report: Timed & Parameters<typeof countsOf>[0] & Parameters<typeof costOf>[0],
  { tool, version, rules, category, results, properties }: SarifRun,
): string {
  const { reachable, startedAt, durationMs } = report
  const run = {
    tool: {
      driver: {
        name: tool,
        ...(version === undefined ? {} : { version, semanticVersion: version }),
        rules,
      },
    },
    automationDetails: { id: category },
    invocations: [
      {
        executionSuccessful: reachable,
        startTimeUtc: startedAt,
        endTimeUtc: new Date(Date.parse(startedAt) + durationMs).toISOString(),
        properties: { verdict: countsOf(report), cost: costOf(report) },
      },
    ],
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { [top]: { description: { text: 'The top of the repository.' } } },
    results,
    properties,
  }
  const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'
  return `${jsonText({ $schema: schema, version: '2.1.0', runs: [run] }, 2)}\n`
}

type Timed = Pick<ProbeReport, 'reachable' | 'startedAt' | 'durationMs'>

/** A rule, which GitHub shows beside each of its results. */
export function ruleOf(id: string, { proves, expects, means, mend }: CheckTexts): object {
  const markdown = [means, '', ...mend.map((step) => `- ${step}`)].join('\n')
  return {
    id,
    name: nameOf(id),
    shortDescription: { text: sentence(proves) },
    fullDescription: { text: sentence(`${proves}. Expected: ${expects}`) },
    help: { text: `${means}\n\n${mend.join('\n')}`, markdown },
    defaultConfiguration: { level: 'error' },
    properties: {
      tags: ['security', ...tagsOf(id)],
      'security-severity': severityOf(id),
      precision: 'very-high',
      'problem.severity': 'error',
    },
  }
}

/** In Pascal case, as the specification has it: `AuthBearerOnly`. */
function nameOf(id: string): string {
  return id
    .split(/[.-]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

interface Place {
  readonly report: ProbeReport
  readonly columns: readonly Column[]
  readonly location: string
}

function resultOf(check: CheckResult, { report, columns, location }: Place): object {
  const { id, expected, actual, detail, url, status, ignored } = check
  const column = titleIn(columns, check)
  const text = joined(
    ' ',
    `${joined(' at ', column, url ?? '') || report.target}:`,
    `expected ${expected}, actual ${actual}.`,
    ignored === true ? '' : detail,
  )
  const print = fingerprint([...identityOf(report), id, column])
  return {
    ruleId: id,
    ruleIndex: checkIds.indexOf(id),
    level: isFailing(check, report) ? 'error' : 'warning',
    message: { text: plain(text) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(location), uriBaseId: top },
          region: { startLine: 1 },
        },
        logicalLocations: [
          { name: column === '' ? 'agent' : column, fullyQualifiedName: url ?? report.target },
        ],
      },
    ],
    // GitHub compares the first alone. By the line, all results would be one alert.
    partialFingerprints: { primaryLocationLineHash: `${print.slice(0, 16)}:1`, 'a2aTotpProbe/v1': print },
    ...(ignored === true
      ? { suppressions: [{ kind: 'external', status: 'accepted', justification: detail }] }
      : {}),
    properties: { status },
  }
}

/**
 * What stays the same of an agent: its URL. On loopback, where each run of a pipeline may pick another port, the agent's
 * name and the URL without the port.
 */
function identityOf({ target, agent }: ProbeReport): string[] {
  if (agent === null || !URL.canParse(target)) return [target]
  const url = new URL(target)
  if (!isLoopback(url)) return [target]
  url.port = ''
  return [url.href, agent]
}

/** Not of the message, whose words change from run to run. */
export function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(jsonText(parts)).digest('hex')
}

/** Text in which no viewer finds a link or a placeholder (SARIF 2.1.0 §3.11.5, §3.11.6). */
export function plain(text: string): string {
  return text.replaceAll('](', '] (').replace(/\{(?=\d)/g, '{ ')
}

/** A path relative to the top of the repository, as a URI (RFC 3986). */
export function uriOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
