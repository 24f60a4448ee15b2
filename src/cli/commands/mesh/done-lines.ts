import { mergeRows } from '../../../mesh/plan/merged-rows.js'
import type { DoneChange, MeshChange } from '../../../mesh/plan/plan.js'
import { doneWordsOf, wordsOf } from './done-rows.js'

/** Changes in words; many that differ by their peers alone are one line. */
export const linesOf = (changes: readonly MeshChange[]): string[] => mergeRows(changes).map(wordsOf)

/** The same with what became of them: one line for those that share it. */
export const doneLinesOf = (changes: readonly DoneChange[]): string[] =>
  mergeRows(changes, ({ done, problem = '' }) => `${String(done)} ${problem}`).map(doneWordsOf)
