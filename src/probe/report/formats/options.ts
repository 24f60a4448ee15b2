import type { CheckId } from '../../check-ids.js'
import type { ProbeReport } from '../report.js'

/** What a format may be told. Each one takes what it needs. */
export interface FormatOptions {
  /** For `pretty`: whether to use colours. */
  readonly color?: boolean
  /** For `pretty`: whether symbols beyond ASCII may be used. */
  readonly symbols?: boolean
  /** For `sarif`: the file in the repository that results are shown at, relative to its top. */
  readonly location?: string
  /** For `sarif`: the version of this tool. */
  readonly version?: string
}

/** What a check proves, what its failure means, and how to fix it; the last two as Markdown. */
export interface CheckTexts {
  readonly proves: string
  readonly expects: string
  readonly means: string
  readonly mend: readonly string[]
}

/** Renders a report. The texts of the checks are handed in, so that reports need no judge. */
export type Render = (
  report: ProbeReport,
  options: FormatOptions,
  textsOf: (id: CheckId) => CheckTexts,
) => string
