import type { MeshAgent, MeshPeer } from '../file/mesh.js'
import type { Roster } from '../../core/roster.js'
import {
  agentsFor,
  clientDocumentOf,
  digestOf,
  partsOf,
  placeOfAgent,
  placeOfPeer,
  serverDocumentOf,
  type Place,
} from '../plan/documents.js'
import { clientTarget, whyKeptBack } from './client-target.js'
import { eachOf } from './each-of.js'
import type { MeshRun } from './mesh-run.js'
import { isDue } from './places.js'

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
 * Gives peers their client files, where they have not got them, with no more than their agents have heard of.
 *
 * @param rosters what the stores will hold once the files are delivered
 */
export async function deliverClients(run: MeshRun, rosters: ReadonlyMap<string, Roster>): Promise<void> {
  const { work, mesh, problems } = run
  const at = work.now()
  const due: DueClient[] = []
  for (const peer of mesh.peers.values()) {
    const problem = run.try(() => {
      due.push(...dueClient(run, peer, rosters, at))
    })
    if (problem !== undefined) problems.clients.set(peer.name, problem)
  }
  let begun = 0
  await eachOf(due, work.concurrency, async ({ peer, place, document, own }) => {
    await work.talk.show(`client file ${++begun} of ${due.length}: ${peer.name}`)
    const problem = await run.attempt(async () => {
      const failure = await work.delivery.client(peer, own, document)
      const delivered = { digest: digestOf(place, document), at, parts: partsOf(document) }
      if (failure === undefined) run.remember('peers', peer.name, delivered)
      return failure
    })
    if (problem !== undefined) problems.clients.set(peer.name, problem)
  })
}

interface DueClient {
  readonly peer: MeshPeer
  readonly place: Place
  readonly document: object
  /** Those of the agents in the document. */
  readonly own: readonly Roster[]
}

/** What a peer is to be given now: nothing where it has that, or has to wait. */
function dueClient(
  run: MeshRun,
  peer: MeshPeer,
  rosters: ReadonlyMap<string, Roster>,
  at: Date,
): DueClient[] {
  const place = placeOfPeer(peer)
  if (!place) return []
  const target = clientTarget(run, peer, rosters, at)
  run.targets.set(peer.name, target)
  const { rosters: told, without, also, waitsFor } = target
  const documentAt = (then: Date): object | undefined =>
    clientDocumentOf(run.mesh, told, peer.name, then, { without, also })
  const document = isDue(run.seen.peers.get(peer.name), place, documentAt) ? documentAt(at) : undefined
  if (!document) return []
  if (waitsFor !== undefined) {
    run.problems.clients.set(peer.name, whyKeptBack(run, waitsFor))
    return []
  }
  const own = agentsFor(run.mesh, peer.name, also).flatMap((agent) => told.get(agent) ?? [])
  return [{ peer, place, document, own }]
}
