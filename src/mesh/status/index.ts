import { jsonText } from '../../core/text.js'
import { statusPage } from './page.js'
import type { MeshStatus } from './status.js'
import { statusText } from './table.js'

export { keepReport, readReports } from './kept-reports.js'
export { statusOf, type MeshStatus, type UnreadStore } from './status.js'

/** Every form of the status. */
export const statusFormats = {
  html: statusPage,
  json: (status) => `${jsonText(status)}\n`,
  table: statusText,
} as const satisfies Readonly<Record<string, (status: MeshStatus) => string>>

export type StatusFormat = keyof typeof statusFormats
