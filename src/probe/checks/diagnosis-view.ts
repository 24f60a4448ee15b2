import type { Evidence } from '../run/evidence.js'
import { triedIn, wasLetIn } from '../run/reading.js'
import type { Cell } from '../target/cells.js'
import type { Judgement } from './judgement.js'
import type { Verdict } from './verdict.js'

/** What rules of the diagnosis look at. Ids are plain strings, because a rule may name a check that is not built. */
export interface View {
  readonly evidence: Evidence
  /** What failed; where nothing did and the run is strict, what warned. */
  readonly failing: readonly Judgement[]
  /** The cells in which something was judged. */
  readonly tested: readonly Cell[]
  /** What failed because calls got no answer. */
  readonly unanswered: readonly Judgement[]
  /** The cells in which a check failed by an answer. */
  readonly failedIn: (id: string) => Cell[]
  /** The cells in which a check failed because something was let in, and not because nothing could be read. */
  readonly letIn: (id: string) => Cell[]
  /** Whether a check failed by an answer, in any cell or for the agent as a whole. */
  readonly failed: (id: string) => boolean
  /** The verdicts of a check. */
  readonly verdictsOf: (id: string) => Verdict[]
}

export function viewOf(evidence: Evidence, judgements: readonly Judgement[]): View {
  const failures = judgements.filter(({ verdict }) => verdict.status === 'fail')
  const warnings = judgements.filter(({ verdict }) => verdict.status === 'warn')
  const failing = failures.length === 0 && evidence.options.strict === true ? warnings : failures
  const answered = failing.filter(({ verdict }) => verdict.unanswered !== true)
  const of = (id: string, among: readonly Judgement[]): readonly Judgement[] =>
    among.filter(({ check }) => (check.id as string) === id)
  const cellsOf = (among: readonly Judgement[]): Cell[] => [
    ...new Set(among.flatMap(({ cell }) => cell ?? [])),
  ]
  return {
    evidence,
    failing,
    unanswered: failing.filter(({ verdict }) => verdict.unanswered),
    tested: cellsOf(judgements.filter(({ verdict }) => verdict.status !== 'skip')),
    failedIn: (id) => cellsOf(of(id, answered)),
    letIn: (id) =>
      cellsOf(of(id, answered)).filter((cell) =>
        evidence.cells.some(
          (one) =>
            one.cell === cell &&
            triedIn(one).some(
              ({ check, answer }) => (check as string) === id && wasLetIn(answer, one) === 'yes',
            ),
        ),
      ),
    failed: (id) => of(id, answered).length > 0,
    verdictsOf: (id) => of(id, judgements).map(({ verdict }) => verdict),
  }
}
