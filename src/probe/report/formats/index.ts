import { jsonText } from '../../../core/text.js'
import type { ProbeReport } from '../report.js'
import { renderGithub } from './github.js'
import { renderHtml } from './html.js'
import { renderJunit } from './junit.js'
import { renderMarkdown } from './markdown.js'
import type { Render } from './options.js'
import { renderOpenmetrics } from './openmetrics.js'
import { renderPretty } from './pretty.js'
import { renderSarif } from './sarif.js'
import { renderTap } from './tap.js'

/** Every form of the report. */
export const renderers = {
  pretty: renderPretty,
  json: (report: ProbeReport) => `${jsonText(report)}\n`,
  junit: renderJunit,
  tap: renderTap,
  markdown: renderMarkdown,
  github: renderGithub,
  sarif: renderSarif,
  html: renderHtml,
  openmetrics: renderOpenmetrics,
} satisfies Record<string, Render>

export type Format = keyof typeof renderers
