import type { Format, FormatOptions } from '../../probe/index.js'
import type { MeshReport } from '../prove/mesh-report.js'
import { renderGithub } from './formats/github.js'
import { renderHtml } from './formats/html.js'
import { documentOf, renderJson } from './formats/json.js'
import { renderJunit } from './formats/junit.js'
import { renderMarkdown } from './formats/markdown.js'
import { renderOpenmetrics } from './formats/openmetrics.js'
import { renderPretty } from './formats/pretty.js'
import { renderSarif } from './formats/sarif.js'
import { renderTap } from './formats/tap.js'
import { harmlessMesh } from './harmless-mesh.js'

export { documentOf }

export type RenderMesh = (report: MeshReport, options: FormatOptions) => string

const renderers: Readonly<Record<Format, RenderMesh>> = {
  pretty: renderPretty,
  json: renderJson,
  junit: renderJunit,
  tap: renderTap,
  markdown: renderMarkdown,
  github: renderGithub,
  sarif: renderSarif,
  html: renderHtml,
  openmetrics: renderOpenmetrics,
}

/**
 * Every form of a mesh's report, by the names of the probe's. Whatever a report holds, a form has no control characters,
 * no commands to a CI runner but its own, and no markup but its own.
 */
export const meshFormats = Object.fromEntries(
  Object.entries(renderers).map(([format, render]): [string, RenderMesh] => [
    format,
    (report, options) => render(format === 'json' ? report : harmlessMesh(report), options),
  ]),
) as Readonly<Record<Format, RenderMesh>>
