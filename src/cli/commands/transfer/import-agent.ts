import { quoteName } from '../../../core/name.js'
import { canariesOf, type Roster } from '../../../core/roster.js'
import type { ClientAbout, Entry } from '../../../import/index.js'

/** The name of an agent that `init` was not told. */
const unnamed = 'agent'

/**
 * Returns the entries for this store's agent: a client file may have those of several agents, and a seed belongs to one of
 * them.
 */
export function forThisAgent(
  roster: Roster,
  entries: readonly Entry[],
): { readonly entries: readonly Entry[]; readonly remarks: readonly string[] } {
  const agents = [...new Set(entries.flatMap((one) => aboutOf(one)?.agent ?? []))]
  if (agents.length > 1) {
    const others = agents.filter((agent) => agent !== roster.agent).map(quoteName)
    const own = entries.filter((one) => aboutOf(one)?.agent === roster.agent)
    if (own.length > 0)
      return { entries: own, remarks: [`passed over the credentials for ${others.join(', ')}`] }
    const problem = `none of its agents (${others.join(', ')}) is the agent of this store, ${quoteName(roster.agent)}`
    return { entries: [{ where: 'the client file', problem }], remarks: [] }
  }
  const [agent] = agents
  if (agent === undefined || agent === roster.agent || isBlank(roster)) return { entries, remarks: [] }
  return {
    entries,
    remarks: [
      `the fragment is for agent ${quoteName(agent)}, and this store is of ${quoteName(roster.agent)}`,
    ],
  }
}

/** Returns a remark on each other agent whose store was exported: what its peers sign is for that agent. */
export function exportRemarks(roster: Roster, entries: readonly Entry[]): string[] {
  const agents = new Set(entries.flatMap((one) => ('request' in one ? (one.exportedFrom ?? []) : [])))
  agents.delete(roster.agent)
  return [...agents].map(
    (agent) => `the export is of agent ${quoteName(agent)}, and this store is of ${quoteName(roster.agent)}`,
  )
}

/** Returns the roster, with what a client fragment says of the agent where the roster says nothing yet. */
export function withAgentOf(roster: Roster, entries: readonly Entry[]): Roster {
  const about = entries.map(aboutOf).find((one) => one !== undefined)
  if (!about || (about.agent !== undefined && about.agent !== roster.agent && !isBlank(roster))) return roster
  const { agent = roster.agent, url, header = roster.profile.header, window = roster.profile.window } = about
  const withUrl = roster.url === undefined && url !== undefined ? { ...roster, url } : roster
  return hasPeers(roster) ? withUrl : { ...withUrl, agent, profile: { ...roster.profile, header, window } }
}

const aboutOf = (entry: Entry): ClientAbout | undefined => ('request' in entry ? entry.client : undefined)

const hasPeers = (roster: Roster): boolean => roster.peers.size + canariesOf(roster).length > 0

const isBlank = (roster: Roster): boolean => roster.agent === unnamed && !hasPeers(roster)
