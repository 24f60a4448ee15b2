import { block, comment, escaped } from '../../../probe/report/formats/tap.js'
import { isFailing } from '../../../probe/report/report.js'
import { costOf, countsOf, narrowingOf, verdictOf } from '../../../probe/report/words.js'
import type { MeshReport } from '../../prove/mesh-report.js'
import { countKinds } from '../kinds.js'
import { resultsOf, subjectOf, type MeshResult } from '../results.js'
import { explainOf } from '../rules.js'
import { proveTitle, sizeOf } from '../words.js'

/**
 * The report as TAP 14: a test for each check of the mesh, of each agent and cell, and of each edge. A warning is `ok` with
 * a diagnostic, unless the run is strict.
 */
export function renderTap(report: MeshReport): string {
  const results = resultsOf(report)
  const narrowing = narrowingOf(report)
  const narrowed = narrowing === '' ? [] : [comment(narrowing)]
  return [
    'TAP version 14',
    ...(report.diagnosis === undefined ? [] : [comment(`diagnosis: ${report.diagnosis}`)]),
    ...narrowed,
    comment(`${proveTitle}: ${report.mesh}: ${sizeOf(report)}`),
    ...(report.matrix.length === 0 ? [] : [comment(`edges: ${countKinds(report.matrix)}`)]),
    ...report.agents.map(({ agent, url }) => comment(`${agent}: ${url}`)),
    `1..${results.length}`,
    ...results.flatMap((result, index) => testOf(result, index + 1, report)),
    comment(`${verdictOf(report)} ${countsOf(report)} (${costOf(report)})`),
    ...narrowed,
    '',
  ].join('\n')
}

function testOf(result: MeshResult, number: number, report: MeshReport): string[] {
  const { id, column, status, detail } = result
  const place = column === '' ? '' : ` (${column})`
  const name = `${number} - ${escaped(`${subjectOf(result)}: ${id}${place}`)}`
  if (status === 'skip') return [`ok ${name} # SKIP ${escaped(detail)}`]
  if (isFailing(result, report)) return [`not ok ${name}`, ...diagnostics(result)]
  return [`ok ${name}`, ...(status === 'warn' ? diagnostics(result) : [])]
}

function diagnostics({ id, status, expected, actual, detail, url, durationMs, line }: MeshResult): string[] {
  const explain = explainOf(id)
  return block({
    severity: status,
    message: detail,
    expected,
    actual,
    ...(url === null ? {} : { url }),
    ...(line === undefined ? {} : { line }),
    duration_ms: durationMs,
    ...(explain === '' ? {} : { explain }),
  })
}
