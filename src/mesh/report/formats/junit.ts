import { escaped, seconds, written } from '../../../probe/report/formats/junit.js'
import { isFailing } from '../../../probe/report/report.js'
import { joined } from '../../../probe/report/words.js'
import type { MeshReport } from '../../prove/mesh-report.js'
import { countKinds } from '../kinds.js'
import { edgeName, resultsOf, type MeshResult } from '../results.js'
import { explainOf } from '../rules.js'
import { proveTitle } from '../words.js'

/**
 * The report as JUnit XML: a suite for the mesh and one for each agent, with a case for each check of it, by cell, and for
 * each check of its edges. The form of Ant's schema, as the probe's report.
 */
export function renderJunit(report: MeshReport): string {
  const results = resultsOf(report)
  const names = new Set([
    ...report.agents.map(({ agent }) => agent),
    ...results.flatMap(({ agent }) => (agent === null ? [] : [agent])),
  ])
  const suites = [ofMesh(report, results), ...[...names].map((name) => ofAgent(name, report, results))]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...suites.flatMap((suite, id) => linesOf(suite, id, report)),
    '</testsuites>',
    '',
  ].join('\n')
}

interface Suite {
  readonly name: string
  readonly url: string
  readonly durationMs: number
  readonly properties: readonly (readonly [name: string, value: string])[]
  readonly results: readonly MeshResult[]
  readonly words: readonly string[]
}

function ofMesh(report: MeshReport, results: readonly MeshResult[]): Suite {
  const { mesh, diagnosis, narrowed, durationMs, matrix } = report
  return {
    name: proveTitle,
    url: mesh,
    durationMs,
    properties: [
      ...(diagnosis === undefined ? [] : [['diagnosis', diagnosis] as const]),
      ...(narrowed.length === 0 ? [] : [['narrowed', narrowed.join(' ')] as const]),
      ['edges', countKinds(matrix)],
    ],
    results: results.filter(({ agent }) => agent === null),
    words: diagnosis === undefined ? [] : [diagnosis],
  }
}

function ofAgent(name: string, report: MeshReport, all: readonly MeshResult[]): Suite {
  const found = report.agents.find(({ agent }) => agent === name)
  const results = all.filter(({ agent }) => agent === name)
  const ofEdges = results.filter(({ peer }) => peer !== null)
  const ownMs = found?.report?.durationMs ?? 0
  const diagnosis = found?.report?.diagnosis
  return {
    name,
    url: found?.url ?? '',
    durationMs: ofEdges.reduce((sum, { durationMs }) => sum + durationMs, ownMs),
    properties: [
      ...(found?.peer ? [['peer', found.peer] as const] : []),
      ...(diagnosis === undefined ? [] : [['diagnosis', diagnosis] as const]),
    ],
    results,
    words: [...(diagnosis === undefined ? [] : [diagnosis]), found?.detail ?? ''].filter(
      (text) => text !== '',
    ),
  }
}

function linesOf(suite: Suite, id: number, report: MeshReport): string[] {
  const { name, url, durationMs, properties, results, words } = suite
  const attributes = {
    id,
    name,
    package: url,
    // The schema wants no zone and no fraction.
    timestamp: report.startedAt.slice(0, 19),
    hostname: URL.canParse(url) ? new URL(url).hostname || 'unknown' : 'unknown',
    tests: results.length,
    failures: results.filter((result) => isFailing(result, report)).length,
    errors: 0,
    skipped: results.filter(({ status }) => status === 'skip').length,
    time: seconds(durationMs),
  }
  const warnings = results.filter(({ status }) => status === 'warn').map(inWords)
  return [
    `  <testsuite ${written(attributes)}>`,
    ...(properties.length === 0
      ? ['    <properties/>']
      : [
          '    <properties>',
          ...properties.map(([key, value]) => `      <property ${written({ name: key, value })}/>`),
          '    </properties>',
        ]),
    ...results.map((result) => caseOf(result, report)),
    `    <system-out>${escaped([...warnings, ...words].join('\n'))}</system-out>`,
    '    <system-err/>',
    '  </testsuite>',
  ]
}

/** The class of a case is the cell, or the edge with its cell: runners show cases by it. */
function caseOf(result: MeshResult, report: MeshReport): string {
  const { id, status, actual, detail, durationMs } = result
  const open = `    <testcase ${written({ name: id, classname: classOf(result), time: seconds(durationMs) })}`
  if (isFailing(result, report)) {
    const message = joined(': ', actual, detail)
    return `${open}><failure ${written({ message, type: status })}>${escaped(inWords(result))}</failure></testcase>`
  }
  return status === 'skip' ? `${open}><skipped ${written({ message: detail })}/></testcase>` : `${open}/>`
}

function classOf({ agent, peer, column }: MeshResult): string {
  if (agent === null) return 'mesh'
  return peer === null ? column || 'agent' : joined(' ', edgeName({ agent, peer }), column)
}

function inWords(result: MeshResult): string {
  const { id, status, expected, actual, detail, line } = result
  const explain = explainOf(id)
  return joined(
    ' ',
    `${status} ${id} ${classOf(result)}: expected ${expected}, actual ${actual}.`,
    detail,
    line === undefined ? '' : `(line ${line} of the mesh file)`,
    explain === '' ? '' : `(${explain})`,
  )
}
