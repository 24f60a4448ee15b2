import type { Roster } from '../../../core/roster.js'
import type { CliContext } from '../../context.js'
import { forget } from './remembered-file.js'

/** Forgets the options of rotations that a change has ended before they were finished: with their peer, or by a later one. */
export function forgetEnded(context: CliContext, before: Roster, after: Roster): void {
  const left = idsOf(after)
  for (const id of idsOf(before)) if (!left.has(id)) forget(context, id)
}

const idsOf = ({ peers }: Roster): ReadonlySet<string> =>
  new Set(Array.from(peers.values(), ({ pending }) => pending?.id ?? []).flat())
