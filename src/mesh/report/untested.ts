import { count, jsonText } from '../../core/text.js'
import type { MeshReport } from '../prove/mesh-report.js'
import { resultsOf, subjectOf } from './results.js'

/** Checks that were skipped for one reason. */
export interface Untested {
  readonly reason: string
  /** Each once. */
  readonly ids: readonly string[]
  /** Agents and edges, each once. */
  readonly subjects: readonly string[]
  /** Set where an `ignore` row made a skip of a failure. */
  readonly ignored: boolean
}

/** What was not tested, by reason, whatever it is about. What is ignored comes first. */
export function untestedIn(report: MeshReport): Untested[] {
  const groups = new Map<
    string,
    { ids: Set<string>; subjects: Set<string>; ignored: boolean; reason: string }
  >()
  for (const result of resultsOf(report)) {
    if (result.status !== 'skip') continue
    const ignored = result.ignored === true
    const key = jsonText([result.detail, ignored ? result.id : ''])
    const group = groups.get(key) ?? { ids: new Set(), subjects: new Set(), ignored, reason: result.detail }
    group.ids.add(result.id)
    group.subjects.add(subjectOf(result))
    groups.set(key, group)
  }
  return [...groups.values()]
    .map(({ ids, subjects, ...rest }) => ({ ...rest, ids: [...ids], subjects: [...subjects] }))
    .sort((one, other) => Number(other.ignored) - Number(one.ignored))
}

/** Names, or their number where they are many. */
export const someOf = (names: readonly string[], one: string, most = 4): string =>
  names.length <= most ? names.join(', ') : count(names.length, one)
