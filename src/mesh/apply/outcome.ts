import type { DoneChange, MeshChange, Plan } from '../plan/plan.js'
import { placeOfAgent, serverDocumentOf } from '../plan/documents.js'
import { withRotationsOver } from '../plan/deliver-rows.js'
import { clientPart, whyKeptBack } from './client-target.js'
import { edgeName, type MeshRun } from './mesh-run.js'
import { isDue } from './places.js'
import type { Problem } from './ports.js'

/** What a run did. */
export interface Applied {
  readonly changes: readonly DoneChange[]
  readonly remarks: readonly string[]
  /** Whose files changed, and are handed out by hand: the file says no place for them. */
  readonly handOut: { readonly agents: readonly string[]; readonly peers: readonly string[] }
}

/** Returns each change of a plan, with whether it was done. Deliveries that no row foretold have rows of their own. */
export function outcomeOf(
  run: MeshRun,
  { changes, remarks }: Plan,
  prune: boolean,
  handOut: Applied['handOut'],
): Applied {
  const all = [...changes, ...unforetold(run, changes)]
  return { changes: all.map((change) => doneOf(run, change, prune)), remarks, handOut }
}

function doneOf(run: MeshRun, change: MeshChange, prune: boolean): DoneChange {
  if (change.needs === 'prune' && !prune) return { ...change, done: false }
  const problem = change.blocked ?? problemOf(run, change)
  return { ...change, done: problem === undefined, ...(problem !== undefined && { problem }) }
}

function problemOf(run: MeshRun, { agent, peer, action }: MeshChange): Problem {
  const { stores, servers, clients, edges } = run.problems
  if (action === 'deliver')
    return peer === undefined ? serverProblem(run, agent) : clientProblem(run, agent, peer)
  const stored = stores.get(agent)
  if (stored !== undefined || peer === undefined) return stored
  const own = action === 'create' || action === 'rotate' ? edges.get(edgeName({ peer, agent })) : undefined
  if (own !== undefined || action !== 'rotate') return own
  if (run.rosters.get(agent)?.peers.get(peer)?.pending === undefined) return undefined
  return servers.get(agent) ?? clients.get(peer) ?? 'the rotation is not finished'
}

/** What was looked at: that the agent has what its store says now. */
function serverProblem(run: MeshRun, name: string): Problem {
  const { problems, mesh, rosters, remembered } = run
  const [agent, roster] = [mesh.agents.get(name), rosters.get(name)]
  const place = agent && placeOfAgent(agent)
  const known = problems.servers.get(name) ?? unstored(run, name)
  if (known !== undefined || !place || !roster) return known
  const missing = isDue(remembered.agents.get(name), place, (at) => serverDocumentOf(roster, at))
  return missing ? 'not delivered' : undefined
}

/** The same for a peer, and what its file says of one agent. */
function clientProblem(run: MeshRun, agent: string, peer: string): Problem {
  const known = run.problems.clients.get(peer) ?? unstored(run, agent)
  if (known !== undefined) return known
  const { without = [], keptBack = [] } = run.targets.get(peer) ?? {}
  if (without.includes(agent)) return 'left out of the client file, since the agent does not let it in yet'
  if (keptBack.includes(agent)) return whyKeptBack(run, agent)
  const roster = run.rosters.get(agent)
  if (!roster) return undefined
  const { parts, at = run.work.now() } = run.remembered.peers.get(peer) ?? {}
  const over = new Map([[agent, withRotationsOver(roster, at)]])
  if (clientPart(run, over, { peer, agent }, at) === parts?.get(agent)) return undefined
  return run.problems.servers.has(agent) ? whyKeptBack(run, agent) : 'not delivered'
}

const unstored = ({ problems }: MeshRun, agent: string): Problem =>
  problems.stores.has(agent) ? `not delivered: the store of ${agent} was not changed` : undefined

function unforetold({ delivered, problems, mesh }: MeshRun, changes: readonly MeshChange[]): MeshChange[] {
  const rows = changes.filter(({ action }) => action === 'deliver')
  const agents = [...new Set([...delivered.agents, ...problems.servers.keys()])]
  const peers = [...new Set([...delivered.peers, ...problems.clients.keys()])]
  return [
    ...agents
      .filter((agent) => !rows.some((row) => row.agent === agent && row.peer === undefined))
      .map((agent): MeshChange => ({ agent, action: 'deliver' })),
    ...peers
      .filter((peer) => !rows.some((row) => row.peer === peer))
      .flatMap((peer): MeshChange[] => {
        const edge = mesh.edges.find((one) => one.peer === peer)
        return edge ? [{ agent: edge.agent, peer, action: 'deliver' }] : []
      }),
  ]
}
