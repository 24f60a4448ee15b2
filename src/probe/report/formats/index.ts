import { jsonText } from '../../../core/text.js'
import type { ProbeReport } from '../report.js'
import { renderGithub } from './github.js'
import { renderJunit } from './junit.js'
import { renderMarkdown } from './markdown.js'
import { renderPretty, type PrettyOptions } from './pretty.js'

export { renderPretty, type PrettyOptions } from './pretty.js'

type Render = (report: ProbeReport, options: PrettyOptions) => string

const renderers = {
  pretty: renderPretty,
  json: (report: ProbeReport) => `${jsonText(report)}\n`,
  junit: renderJunit,
  markdown: renderMarkdown,
  github: renderGithub,
} satisfies Record<string, Render>

export type Format = keyof typeof renderers

/** Every form of the report. Options are for the one that people see in a terminal. */
export const formats: Readonly<Record<Format, Render>> = renderers
