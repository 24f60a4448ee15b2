import { count } from '../../core/text.js'
import type { CheckId } from '../check-ids.js'
import type { CheckStatus, ProbeReport } from './report.js'

/** The verdict in one word. */
export const verdictOf = ({ ok }: Pick<ProbeReport, 'ok'>): 'PASS' | 'FAIL' => (ok ? 'PASS' : 'FAIL')

/** A status in words. */
export const statusWords: Readonly<Record<CheckStatus, string>> = {
  pass: 'ok',
  fail: 'FAIL',
  warn: 'warn',
  skip: '-',
}

export const statusSymbols: Readonly<Record<CheckStatus, string>> = {
  pass: '✔',
  fail: '✖',
  warn: '▲',
  skip: '–',
}

/** The numbers of each status. */
export function countsOf({
  summary: { passed, failed, warned, skipped },
}: Pick<ProbeReport, 'summary'>): string {
  return `${passed} passed, ${failed} failed, ${warned} warned, ${skipped} skipped`
}

/** The same, for a person: with `strict` a run may fail although no check failed. */
export const strictCountsOf = (report: Pick<ProbeReport, 'summary' | 'strict'>): string =>
  `${countsOf(report)}${report.strict ? ', warnings count as failures' : ''}`

/** What a run cost. */
export function costOf({
  requests,
  guessesSpent,
  durationMs,
}: Pick<ProbeReport, 'requests' | 'guessesSpent' | 'durationMs'>): string {
  return `${count(requests, 'request')}, ${count(guessesSpent, 'guess', 'guesses')}, ${(durationMs / 1000).toFixed(1)} s`
}

/** By what a run was narrowed; empty for a whole run. */
export function narrowingOf({ narrowed }: Pick<ProbeReport, 'narrowed'>): string {
  return narrowed.length === 0 ? '' : `NARROWED: ${narrowed.join(' ')}`
}

/** The command that explains a check. */
export const explainCommand = (id: CheckId): string => `a2a-totp probe --explain ${id}`

/** The diagnosis with the command that explains it; empty without one. */
export function diagnosisOf({ diagnosis, explain }: ProbeReport): string {
  if (diagnosis === undefined) return ''
  return explain === undefined ? diagnosis : `${diagnosis}; see ${explainCommand(explain)}`
}

/** The parts that are not empty, joined. */
export const joined = (separator: string, ...parts: readonly string[]): string =>
  parts.filter((part) => part !== '').join(separator)
