import { costOf, countsOf, verdictOf } from './words.js'
import type { ProbeReport } from './report.js'

/** One line about a run: when it began, its verdict, its numbers. */
export function renderLine(report: ProbeReport): string {
  const numbers = `${countsOf(report)} (${costOf(report)})`
  const silent = report.reachable ? '' : '  the agent cannot be reached'
  return `${report.startedAt.slice(0, 19)}Z ${verdictOf(report)}  ${numbers}${silent}`
}
