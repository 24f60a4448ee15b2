import { jsonText } from '../../../core/text.js'
import type { ProbeReport } from '../report.js'
import { renderGithub } from './github.js'
import { renderJunit } from './junit.js'
import { renderMarkdown } from './markdown.js'
import type { Render } from './options.js'
import { renderPretty } from './pretty.js'

/** Every form of the report. */
export const renderers = {
  pretty: renderPretty,
  json: (report: ProbeReport) => `${jsonText(report)}\n`,
  junit: renderJunit,
  markdown: renderMarkdown,
  github: renderGithub,
} satisfies Record<string, Render>

export type Format = keyof typeof renderers
