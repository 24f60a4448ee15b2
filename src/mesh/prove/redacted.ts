import type { Roster } from '../../core/roster.js'
import type { MeshReport } from './mesh-report.js'

/**
 * Takes seeds and tokens out of a report. A probe keeps those of its own edge out, but an agent knows them all, and may
 * quote one edge's token to another.
 *
 * @param crossed whether agents have seen credentials of each other's edges
 * @returns the same report where none is in it
 */
export function redacted(
  report: MeshReport,
  rosters: ReadonlyMap<string, Roster>,
  crossed = false,
): MeshReport {
  const found = new Set<string>()
  const every = [...rosters.values()].flatMap(secretsOf)
  for (const [agent, roster] of rosters) {
    const text = JSON.stringify([
      report.agents.filter((one) => one.agent === agent),
      report.matrix.filter((one) => one.agent === agent),
    ])
    for (const secret of crossed ? every : secretsOf(roster)) if (text.includes(secret)) found.add(secret)
  }
  if (found.size === 0) return report
  let text = JSON.stringify(report)
  for (const secret of found) text = text.replaceAll(secret, '[secret]')
  return JSON.parse(text) as MeshReport
}

/** Neither has a character that JSON escapes. */
function secretsOf({ peers, removed = [] }: Roster): string[] {
  const present = [...peers.values()]
  const seeds = [...present.flatMap((peer) => peer.seeds), ...removed.map(({ seed }) => seed)]
  const tokens = [...present.flatMap((peer) => peer.tokens), ...removed.map(({ token }) => token)]
  return [...seeds.map(({ seed }) => seed.base32), ...tokens.flatMap(({ token }) => token.value ?? [])]
}
