import type { Roster } from '../../core/roster.js'
import { edgesOf, type MeshPeer } from '../file/mesh.js'
import { agentsFor, clientDocumentOf, partsOf, undeclaredIn } from '../plan/documents.js'
import { edgeName, type ClientTarget, type MeshRun } from './mesh-run.js'
import { contentOf } from './places.js'

/**
 * Returns what a peer may be told. Of an agent that has not got its server file, or does not let the peer in, the peer keeps
 * what it has: that still opens the agent, and what is new does not. Such an agent is left out where the edge is new.
 *
 * @param rosters what the stores will hold once the files are delivered
 */
export function clientTarget(
  run: MeshRun,
  peer: MeshPeer,
  rosters: ReadonlyMap<string, Roster>,
  at: Date,
): ClientTarget {
  const { mesh, before, problems, remembered, seen } = run
  const also = undeclaredIn(mesh, peer.name, seen.peers.get(peer.name))
  const without = unheardOf(run, peer, rosters)
  const partIn = (some: ReadonlyMap<string, Roster>, agent: string): string | undefined =>
    clientPart(run, some, { peer: peer.name, agent }, at)
  const held = (agent: string): string | undefined =>
    remembered.peers.get(peer.name)?.parts?.get(agent) ?? partIn(before, agent)
  const keptBack = agentsFor(mesh, peer.name, also)
    .filter(
      (agent) => problems.servers.has(agent) || problems.edges.has(edgeName({ peer: peer.name, agent })),
    )
    .filter((agent) => !without.includes(agent))
    .filter((agent) => ![undefined, held(agent)].includes(partIn(rosters, agent)))
  const told = new Map(rosters)
  for (const agent of keptBack) {
    const roster = before.get(agent)
    if (roster) told.set(agent, roster)
  }
  const waitsFor = keptBack.find((agent) => partIn(told, agent) !== held(agent))
  return { rosters: told, without, also, keptBack, waitsFor }
}

/** Says why a peer is not told what is new of an agent. */
export const whyKeptBack = ({ problems }: MeshRun, agent: string): string =>
  problems.servers.has(agent)
    ? `not delivered: its agent ${agent} has not got its server file`
    : `not delivered: its agent ${agent} does not let it in yet`

/** Returns a digest of what the client file of a peer says of one agent; undefined where it says nothing. */
export function clientPart(
  { mesh }: Pick<MeshRun, 'mesh'>,
  rosters: ReadonlyMap<string, Roster>,
  { peer, agent }: { readonly peer: string; readonly agent: string },
  at: Date,
): string | undefined {
  const roster = rosters.get(agent)
  const document = roster && clientDocumentOf(mesh, new Map([[agent, roster]]), peer, at, { also: [agent] })
  return document && partsOf(document).get(agent)
}

/**
 * The agents that do not know a peer yet, because their server file could not be delivered: a peer that had them in its
 * file would call them in vain. One that the peer has in its file already stays there.
 */
function unheardOf(
  { mesh, problems, remembered, before }: MeshRun,
  peer: MeshPeer,
  rosters: ReadonlyMap<string, Roster>,
): string[] {
  const held = peer.clientFile === undefined ? undefined : contentOf(peer.clientFile)
  const known = (held as { agents?: object } | undefined)?.agents ?? {}
  return edgesOf(mesh, peer.name).flatMap(({ agent }) => {
    const made = rosters.get(agent)?.peers.get(peer.name)?.createdAt
    if (made === undefined) return []
    if (!before.get(agent)?.peers.has(peer.name) && problems.edges.has(edgeName({ peer: peer.name, agent })))
      return [agent]
    if (!problems.servers.has(agent)) return []
    const delivered = remembered.agents.get(agent)
    const isNew = delivered ? made > delivered.at : !Object.hasOwn(known, agent)
    return isNew ? [agent] : []
  })
}
