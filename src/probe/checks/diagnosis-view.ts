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
  /** Those of them in which the check failed because something was let in, and not for want of an answer. */
  readonly letInBy: (id: string) => Cell[]
  /** Whether a check failed by an answer, in any cell or for the agent as a whole. */
  readonly failed: (id: string) => boolean
  /** The verdicts of a check, in some cells only if they are given. */
  readonly verdictsOf: (id: string, cells?: readonly Cell[]) => Verdict[]
}

export function viewOf(evidence: Evidence, judgements: readonly Judgement[]): View {
  const failures = judgements.filter(({ verdict }) => verdict.status === 'fail')
  const warnings = judgements.filter(({ verdict }) => verdict.status === 'warn')
  const failing = failures.length === 0 && evidence.options.strict === true ? warnings : failures
  const of = (id: string, among: readonly Judgement[]): readonly Judgement[] =>
    among.filter(({ check }) => (check.id as string) === id)
  const cellsOf = (among: readonly Judgement[]): Cell[] => [
    ...new Set(among.flatMap(({ cell }) => cell ?? [])),
  ]
  const answered = failing.filter(({ verdict }) => verdict.unanswered !== true)
  const failedIn = (id: string): Cell[] => cellsOf(of(id, answered))
  const letIn = new Map(
    evidence.cells.map((one) => [
      one.cell,
      new Set<string>(
        triedIn(one).flatMap(({ check, answer }) => (wasLetIn(answer, one) === 'yes' ? check : [])),
      ),
    ]),
  )
  return {
    evidence,
    failing,
    unanswered: failing.filter(({ verdict }) => verdict.unanswered),
    tested: cellsOf(judgements.filter(({ verdict }) => verdict.status !== 'skip')),
    failedIn,
    letInBy: (id) => failedIn(id).filter((cell) => letIn.get(cell)?.has(id) === true),
    failed: (id) => of(id, answered).length > 0,
    verdictsOf: (id, cells) =>
      of(id, judgements)
        .filter(({ cell }) => cells === undefined || (cell !== null && cells.includes(cell)))
        .map(({ verdict }) => verdict),
  }
}
