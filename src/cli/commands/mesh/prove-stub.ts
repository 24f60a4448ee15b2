import { jsonText } from '../../../core/text.js'
import type { MeshReport } from '../../../mesh/prove/mesh-report.js'
import type { Format, FormatOptions } from '../../../probe/index.js'

// Stands in for `meshFormats` of mesh/report and `keepReport` of mesh/status until those are merged.

const pretty = (report: MeshReport): string =>
  [
    `${report.ok ? 'PASS' : 'FAIL'} ${report.mesh}`,
    ...(report.diagnosis === undefined ? [] : [report.diagnosis]),
    ...report.checks.map((one) => `${one.status} ${one.id} ${one.actual} ${one.detail}`),
    ...report.agents.map(
      (one) => `${one.ok ? 'ok' : 'FAIL'} ${one.agent} as ${one.peer ?? '-'} ${one.detail}`,
    ),
    ...report.matrix.map(
      (one) => `${one.status} ${one.peer} -> ${one.agent} ${String(one.admitted)} ${one.detail}`,
    ),
  ].join('\n')

type Render = (report: MeshReport, options: FormatOptions) => string

export const meshFormats: Readonly<Record<Format, Render>> = {
  pretty,
  json: (report) => `${jsonText(report)}\n`,
  junit: pretty,
  tap: pretty,
  markdown: pretty,
  github: pretty,
  sarif: pretty,
  html: pretty,
  openmetrics: pretty,
}

export const keepReport = (folder: string, report: MeshReport): string => `${folder}/${report.startedAt}`
