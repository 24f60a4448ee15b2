import type { PendingRotation, Roster } from '../../core/roster.js'
import { isAtLeast, withOldEnding, withoutPending, withStep } from '../../core/staged-rotation.js'
import type { MeshAgent } from '../file/mesh.js'
import { deliverServers } from './deliver-files.js'
import { eachOf } from './each-of.js'
import { placeOfAgent } from '../plan/documents.js'
import { edgeName, type MeshRun } from './mesh-run.js'
import type { Problem } from './ports.js'

/** A rotation of an edge that is not finished. */
export interface PendingEdge {
  readonly agent: MeshAgent
  readonly peer: string
  readonly pending: PendingRotation
}

/** An agent that follows its server file sees a new one within a second. */
const settleMs = 1500

/** Returns the declared edges with a rotation that is not finished, whichever command began it. */
function pendingEdges({ mesh, rosters }: MeshRun): PendingEdge[] {
  return mesh.edges.flatMap(({ peer, agent: name }) => {
    const agent = mesh.agents.get(name)
    const pending = rosters.get(name)?.peers.get(peer)?.pending
    return agent && pending ? [{ agent, peer, pending }] : []
  })
}

/** Returns the pending edges whose new credentials the agent knows. With a proof it was asked, else it had time to look. */
export async function admit(run: MeshRun): Promise<PendingEdge[]> {
  const { work, problems, delivered } = run
  const known = pendingEdges(run).filter(
    ({ agent, pending }) => isAtLeast(pending, 'delivered') || !problems.servers.has(agent.name),
  )
  const { proof } = work
  if (!proof) {
    if (known.some(({ agent }) => delivered.agents.has(agent.name))) await work.sleep(settleMs)
    return known
  }
  const admitted = new Set<PendingEdge>()
  await eachOf(known, work.concurrency, async (edge) => {
    const asked = isAtLeast(edge.pending, 'admitted')
    const failure = asked ? undefined : await askAbout(run, edge, proof.admitted.bind(proof))
    if (failure === undefined) admitted.add(edge)
  })
  return known.filter((edge) => admitted.has(edge))
}

/** Asks the agents about edges that this run has created. One that is not let in is not handed out. */
export async function proveNew(run: MeshRun): Promise<void> {
  const { proof, concurrency } = run.work
  if (!proof) return
  const created = run.mesh.edges.flatMap(({ agent: name, peer }) => {
    const agent = run.mesh.agents.get(name)
    const isNew = run.rosters.get(name)?.peers.has(peer) && !run.before.get(name)?.peers.has(peer)
    return agent && isNew && placeOfAgent(agent) && !run.problems.servers.has(name) ? [{ agent, peer }] : []
  })
  await eachOf(created, concurrency, async (edge) => {
    await askAbout(run, edge, proof.admitted.bind(proof))
  })
}

/** Returns what the stores hold once peers use their new credentials: what is handed out to them. */
export function withNewInUse(run: MeshRun, edges: readonly PendingEdge[]): Map<string, Roster> {
  const rosters = new Map(run.rosters)
  for (const { agent, peer, pending } of edges) {
    const roster = rosters.get(agent.name)
    if (roster) rosters.set(agent.name, withStep(roster, peer, pending.id, 'delivered'))
  }
  return rosters
}

/**
 * Ends what the rotations superseded, tells the agents, and then the rotations are over. A peer that could not be given
 * its file keeps its old credentials, and the next run goes on.
 */
export async function retire(run: MeshRun, admitted: readonly PendingEdge[]): Promise<void> {
  const { work, problems } = run
  const { proof } = work
  await eachOf(admitted, work.concurrency, async (edge) => {
    const failure = problems.clients.get(edge.peer)
    if (failure !== undefined) failAll(run, [edge], `${edge.peer} was not delivered to: ${failure}`)
    else if (proof && !isAtLeast(edge.pending, 'proved')) await askAbout(run, edge, proof.proved.bind(proof))
  })
  const ending = admitted.filter((edge) => !problems.edges.has(edgeName(nameOf(edge))))
  const agents = [...new Set(admitted.map(({ agent }) => agent))]
  for (const agent of agents) await endOld(run, agent, admitted, ending)
  await deliverServers(run, [...new Set(ending.map(({ agent }) => agent))])
  for (const agent of agents) {
    const own = ofAgent(ending, agent).filter((edge) => !problems.edges.has(edgeName(nameOf(edge))))
    const failure = problems.servers.get(agent.name)
    if (failure !== undefined)
      failAll(run, own, `the agent has not heard that the old credentials end: ${failure}`)
    else if (placeOfAgent(agent)) await change(run, agent, own, (roster) => over(roster, own))
  }
}

/** One change of a store for all of its edges. Without a place for its server file nothing is left to wait for. */
async function endOld(
  run: MeshRun,
  agent: MeshAgent,
  admitted: readonly PendingEdge[],
  ending: readonly PendingEdge[],
): Promise<void> {
  const all = ofAgent(admitted, agent)
  const own = ofAgent(ending, agent)
  const at = run.work.now()
  await change(run, agent, all, (roster) => {
    const stepped = all.reduce((now, edge) => {
      const delivered = !run.problems.clients.has(edge.peer)
      const step = !delivered ? 'admitted' : run.work.proof && own.includes(edge) ? 'proved' : 'delivered'
      return withStep(now, edge.peer, edge.pending.id, step)
    }, roster)
    const ended = own.reduce((now, { peer, pending }) => withOldEnding(now, [peer], pending.id, at), stepped)
    return placeOfAgent(agent) ? ended : over(ended, own)
  })
}

const over = (roster: Roster, edges: readonly PendingEdge[]): Roster =>
  edges.reduce((now, { peer, pending }) => withoutPending(now, [peer], pending.id), roster)

const ofAgent = (edges: readonly PendingEdge[], agent: MeshAgent): PendingEdge[] =>
  edges.filter((edge) => edge.agent === agent)

type AnyEdge = Pick<PendingEdge, 'agent' | 'peer'>

const nameOf = ({ agent, peer }: AnyEdge) => ({ agent: agent.name, peer })

async function change(
  run: MeshRun,
  agent: MeshAgent,
  edges: readonly PendingEdge[],
  to: (roster: Roster) => Roster,
): Promise<void> {
  if (edges.length === 0) return
  const problem = await run.attempt(async () => {
    run.rosters.set(agent.name, await run.work.stores(agent).update(to))
    return undefined
  })
  if (problem !== undefined) failAll(run, edges, problem)
}

async function askAbout(
  run: MeshRun,
  edge: AnyEdge,
  ask: (agent: MeshAgent, roster: Roster, peer: string) => Promise<Problem>,
): Promise<Problem> {
  const roster = run.rosters.get(edge.agent.name)
  const problem = roster && (await run.attempt(() => ask(edge.agent, roster, edge.peer)))
  if (problem !== undefined) failAll(run, [edge], problem)
  return problem
}

function failAll({ problems }: MeshRun, edges: readonly AnyEdge[], problem: string): void {
  for (const edge of edges) problems.edges.set(edgeName(nameOf(edge)), problem)
}
