import { TOTPError } from '../../core/errors.js'
import { didYouMean } from '../../core/nearest.js'
import { checkIds, type CheckId } from '../check-ids.js'
import { checks } from './index.js'

export interface Selection {
  /** Checks that appear in the report. */
  readonly reported: ReadonlySet<CheckId>
  /** Those, and the ones whose requests they judge. */
  readonly performed: ReadonlySet<CheckId>
}

/**
 * Which checks to report and which to perform. The requests of a skipped check are not sent, not even as evidence for
 * another check; the call with right credentials is the exception. An opt-in check runs only if `only` or `optedIn`
 * names it.
 *
 * @throws {TOTPError} `ERR_USAGE` for an unknown id, listing the known ones, and if no check is left.
 */
export function selectChecks(
  only: readonly string[] = [],
  skip: readonly string[] = [],
  optedIn: readonly CheckId[] = [],
): Selection {
  const skipped = new Set(parseIds(skip))
  const byDefault = checkIds.filter((id) => checks[id].optIn !== true)
  const wanted = [...(only.length > 0 ? parseIds(only) : byDefault), ...optedIn]
  const reported = new Set(wanted.filter((id) => !skipped.has(id)))
  if (reported.size === 0) {
    throw new TOTPError('ERR_USAGE', 'no check is left to run: `skip` leaves out all that were chosen')
  }
  // A refusal proves nothing at an agent that refuses everyone.
  const isCalled = [...reported].some((id) => checks[id].withoutCalls !== true)
  const judged = new Set<CheckId>([...reported, ...(isCalled ? (['auth.valid'] as const) : [])])
  const needed = [...judged].flatMap((id) => checks[id].needs ?? [])
  return { reported, performed: new Set([...judged, ...needed.filter((id) => !skipped.has(id))]) }
}

/** @throws {TOTPError} `ERR_USAGE` for an unknown id, listing the known ones. */
export function parseIds(given: readonly string[]): readonly CheckId[] {
  if (given.every(isCheckId)) return given
  const question = didYouMean(given.filter((id) => !isCheckId(id)).slice(0, 1), checkIds)
  const hint = question === undefined ? '' : ` (${question})`
  throw new TOTPError('ERR_USAGE', `no such check${hint}; the checks are ${checkIds.join(', ')}`)
}

const isCheckId = (text: string): text is CheckId => Object.hasOwn(checks, text)
