import { edgesOf, type MeshAgent, type MeshPeer } from '../file/mesh.js'
import type { Roster } from '../../core/roster.js'
import {
  clientDocumentOf,
  digestOf,
  placeOfAgent,
  placeOfPeer,
  serverDocumentOf,
  type Place,
} from '../plan/documents.js'
import { eachOf } from './each-of.js'
import { edgeName, type MeshRun } from './mesh-run.js'
import { contentOf, isDue } from './places.js'

/** @throws {TOTPError} `ERR_CONFIG_INVALID` for a server file that its agent would refuse */
export function checkReadable({ work, readable }: MeshRun, roster: Roster, document: object): void {
  if (readable.has(roster)) return
  work.delivery.check(document)
  readable.add(roster)
}

/** Gives agents their server files, where they have not got them. */
export async function deliverServers(run: MeshRun, agents: readonly MeshAgent[]): Promise<void> {
  const { work, problems, seen } = run
  const at = work.now()
  const due = agents.flatMap((agent) => {
    const roster = run.rosters.get(agent.name)
    const place = placeOfAgent(agent)
    if (!roster || !place) return []
    const delivered = seen.agents.get(agent.name)
    return isDue(delivered, place, (then) => serverDocumentOf(roster, then)) ? [{ agent, roster, place }] : []
  })
  let begun = 0
  await eachOf(due, work.concurrency, async ({ agent, roster, place }) => {
    await work.talk.show(`server file ${++begun} of ${due.length}: ${agent.name}`)
    const problem = await run.attempt(async () => {
      const document = serverDocumentOf(roster, at)
      checkReadable(run, roster, document)
      const failure = await work.delivery.server(agent, roster, document)
      if (failure === undefined) run.remember('agents', agent.name, { digest: digestOf(place, document), at })
      return failure
    })
    if (problem === undefined) problems.servers.delete(agent.name)
    else problems.servers.set(agent.name, problem)
  })
}

/**
 * Gives peers their client files, where they have not got them. An edge that its agent has not heard of is left out.
 *
 * @param rosters what the stores will hold once the files are delivered
 */
export async function deliverClients(run: MeshRun, rosters: ReadonlyMap<string, Roster>): Promise<void> {
  const { work, mesh, problems, seen } = run
  const at = work.now()
  const due: { readonly peer: MeshPeer; readonly place: Place; readonly document: object }[] = []
  for (const peer of mesh.peers.values()) {
    const place = placeOfPeer(peer)
    if (!place) continue
    const without = unheardOf(run, peer, rosters)
    if (without.length > 0) run.leftOut.set(peer.name, without)
    const documentAt = (then: Date): object | undefined =>
      clientDocumentOf(mesh, rosters, peer.name, then, { without })
    const problem = run.try(() => {
      const document = isDue(seen.peers.get(peer.name), place, documentAt) ? documentAt(at) : undefined
      if (document) due.push({ peer, place, document })
    })
    if (problem !== undefined) problems.clients.set(peer.name, problem)
  }
  let begun = 0
  await eachOf(due, work.concurrency, async ({ peer, place, document }) => {
    await work.talk.show(`client file ${++begun} of ${due.length}: ${peer.name}`)
    const problem = await run.attempt(async () => {
      const own = edgesOf(mesh, peer.name).flatMap(({ agent }) => rosters.get(agent) ?? [])
      const failure = await work.delivery.client(peer, own, document)
      if (failure === undefined) run.remember('peers', peer.name, { digest: digestOf(place, document), at })
      return failure
    })
    if (problem !== undefined) problems.clients.set(peer.name, problem)
  })
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
