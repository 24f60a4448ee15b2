import { jsonText } from '../../core/text.js'
import { renderHtml } from './html.js'
import { renderMermaid } from './mermaid.js'
import { renderSvg } from './svg.js'
import { renderTable } from './table.js'
import type { MeshView } from './view.js'

export { viewMesh, type AgentView, type MeshView, type PeerView } from './view.js'
export type { EdgeView } from './edge-view.js'
export { type StoreReading } from './store-reading.js'

export interface ShowOptions {
  /** Of the terminal, in cells. */
  readonly width: number
  /** Ages are counted until then. */
  readonly at: Date
}

/** The formats of `mesh show`. */
export const showFormats = {
  table: (view, { width, at }) => renderTable(view, width, at),
  json: (view) => jsonText(view, 2),
  mermaid: (view) => renderMermaid(view),
  svg: (view) => renderSvg(view),
  html: (view, { at }) => renderHtml(view, at),
} as const satisfies Record<string, (view: MeshView, options: ShowOptions) => string>

export type ShowFormat = keyof typeof showFormats
