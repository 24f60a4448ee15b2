import type { Evidence } from '../run/evidence.js'
import { isAnswer } from '../wire/answer.js'
import type { Cell } from '../target/cells.js'
import type { Rule } from './diagnosis-claim.js'

/** Nothing answered at all, so nothing was sent with credentials. */
export const silent: Rule = ({ evidence: { silence } }) => {
  if (silence === undefined || silence.reason === 'tls') return undefined
  const { reason, explanation } = silence
  // Something was there, though nothing that can be read.
  const text = reason === 'broken' ? explanation : `nothing answers: ${explanation}`
  return { text, ids: ['reach', 'coverage'], explain: 'reach' }
}

/**
 * Calls got no answer, where nobody was let in: an agent that crashed or was stopped during the run, or one that hangs.
 * That is no refusal, so the checks fail, but nothing was let in either.
 */
export const unanswered: Rule = ({ evidence, unanswered: lost }) => {
  if (lost.length === 0) return undefined
  const cells = [...new Set(lost.flatMap(({ cell }) => cell ?? []))]
  const why = lost[0]?.verdict.actual ?? ''
  return {
    text: hasStopped(evidence, cells) ? stopped(why) : `some calls get no answer: ${why}`,
    cells,
    ids: [...lost.map(({ check }) => check.id), 'auth.valid', 'coverage'],
    explain: 'reach',
  }
}

export const stopped = (why: string): string => `the agent stopped answering during the run: ${why}`

/** Whether answers came at first, and none in the end. */
export function hasStopped({ exchanges }: Evidence, cells: readonly Cell[]): boolean {
  const there = exchanges.filter(({ cell }) => cell !== null && cells.includes(cell))
  const last = there.slice(-lastFew)
  return there.some(({ answer }) => isAnswer(answer)) && last.every(({ answer }) => !isAnswer(answer))
}

/** Requests are under way side by side, so that a single one at the end may be lost by chance. */
const lastFew = 3
