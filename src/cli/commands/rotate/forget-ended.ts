import type { Roster } from '../../../core/roster.js'
import type { CliContext } from '../../context.js'

/** Forgets the options of rotations that a change has ended before they were finished: with their peer, or by a later one. */
export async function forgetEnded(context: CliContext, before: Roster, after: Roster): Promise<void> {
  const left = idsOf(after)
  const ended = [...idsOf(before)].filter((id) => !left.has(id))
  if (ended.length === 0) return
  // Few changes do, so what forgets is loaded then.
  const { forget } = await import('./remembered.js')
  for (const id of ended) forget(context, id)
}

const idsOf = ({ peers }: Roster): ReadonlySet<string> =>
  new Set(Array.from(peers.values(), ({ pending }) => pending?.id ?? []).flat())
