import { explainCheck } from './checks/explanation.js'
import { renderers, type Format } from './report/formats/index.js'
import type { FormatOptions, Render } from './report/formats/options.js'
import { harmless } from './report/harmless.js'
import type { ProbeReport } from './report/report.js'

export type { Format, FormatOptions }

type RenderReport = (report: ProbeReport, options: FormatOptions) => string

/**
 * Every form of the report. Whatever a report holds, a form has no control characters, no commands to a CI runner but
 * its own, and no markup but its own.
 */
export const formats = Object.fromEntries(
  Object.entries<Render>(renderers).map(([format, render]): [string, RenderReport] => [
    format,
    (report, options) => render(format === 'json' ? report : harmless(report), options, explainCheck),
  ]),
) as Readonly<Record<Format, RenderReport>>

/** The report for a person. */
export const renderPretty = formats.pretty
