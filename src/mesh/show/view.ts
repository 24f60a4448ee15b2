import type { Algorithm, Digits, ReplayPolicy } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import { printableUrl } from '../../core/text.js'
import type { Mesh, MeshAgent, MeshPeer } from '../file/mesh.js'
import { viewEdge, type EdgeView } from './edge-view.js'
import { agentPolicies } from './policies.js'
import type { StoreReading, StoreState } from './store-reading.js'

// What a mesh is, as every format of `mesh show` draws it. It holds no secret.

export interface AgentView {
  readonly name: string
  readonly url: string
  /** Null: neither the file nor a store says. */
  readonly replay: ReplayPolicy | null
  readonly signed: SignedPolicy | null
  readonly algorithm: Algorithm | null
  readonly digits: Digits | null
  /** In seconds. */
  readonly period: number | null
  readonly window: number | null
  readonly header: string | null
  /** Null: those of its store, which was not read. */
  readonly canaries: readonly string[] | null
  readonly store: StoreState
  /** Why its store could not be read. */
  readonly problem: string | null
  /** Whether its server file has a place to go. */
  readonly delivered: boolean
  /** Whether it is a peer as well. */
  readonly isPeer: boolean
  readonly line: number
}

export interface PeerView {
  readonly name: string
  /** Agents that the file lets it call. */
  readonly calls: number
  readonly delivered: boolean
  readonly isAgent: boolean
  readonly line: number
}

/** A peer that a store lets in, and the file does not. */
export interface UndeclaredView {
  readonly peer: string
  readonly agent: string
}

export interface MeshView {
  readonly version: 1
  /** The name of the file, without its folder. */
  readonly mesh: string
  /** How many stores were read. */
  readonly storesRead: number
  readonly agents: readonly AgentView[]
  readonly peers: readonly PeerView[]
  /** Those of the file, in its order. */
  readonly edges: readonly EdgeView[]
  readonly undeclared: readonly UndeclaredView[]
}

/**
 * Returns what there is to show.
 *
 * @param readings of stores; one that is left out was not looked at
 * @param at decides what has expired, and what is due
 */
export function viewMesh(mesh: Mesh, readings: ReadonlyMap<string, StoreReading>, at: Date): MeshView {
  const readingOf = (agent: string): StoreReading => readings.get(agent) ?? { state: 'unopened' }
  const agents = [...mesh.agents.values()]
  return {
    version: 1,
    mesh: mesh.path.replace(/^.*[/\\]/, ''),
    storesRead: agents.filter(({ name }) => readingOf(name).state === 'read').length,
    agents: agents.map((agent) => viewAgent(mesh, agent, readingOf(agent.name))),
    peers: [...mesh.peers.values()].map((peer) => viewPeer(mesh, peer)),
    edges: mesh.edges.map((edge) => viewEdge(edge, mesh.agents.get(edge.agent), readingOf(edge.agent), at)),
    undeclared: agents.flatMap(({ name }) => undeclaredAt(mesh, name, readingOf(name))),
  }
}

function viewAgent(mesh: Mesh, agent: MeshAgent, reading: StoreReading): AgentView {
  const stored = reading.state === 'read' ? reading.roster : undefined
  const { algorithm, digits, period, window, header } = { ...stored?.profile, ...withoutUndefined(agent) }
  const canaries = agent.canaries ?? (stored && [...(stored.canaries?.keys() ?? [])])
  return {
    name: agent.name,
    url: printableUrl(new URL(agent.url).href),
    ...agentPolicies(agent, reading),
    algorithm: algorithm ?? null,
    digits: digits ?? null,
    period: period ?? null,
    window: window ?? null,
    header: header ?? null,
    canaries: canaries ?? null,
    store: reading.state,
    problem: reading.state === 'read' ? null : (reading.problem ?? null),
    delivered: agent.deliver !== undefined || agent.serverFile !== undefined,
    isPeer: mesh.peers.has(agent.name),
    line: agent.line,
  }
}

function viewPeer({ edges, agents }: Mesh, peer: MeshPeer): PeerView {
  return {
    name: peer.name,
    calls: edges.filter((edge) => edge.peer === peer.name).length,
    delivered: peer.deliver !== undefined || peer.clientFile !== undefined,
    isAgent: agents.has(peer.name),
    line: peer.line,
  }
}

function undeclaredAt({ edges }: Mesh, agent: string, reading: StoreReading): UndeclaredView[] {
  if (reading.state !== 'read') return []
  const declared = new Set(edges.filter((edge) => edge.agent === agent).map(({ peer }) => peer))
  return [...reading.roster.peers.keys()]
    .filter((peer) => !declared.has(peer))
    .map((peer) => ({ peer, agent }))
}

const withoutUndefined = (agent: MeshAgent): Partial<MeshAgent> =>
  Object.fromEntries(Object.entries(agent).filter(([, value]) => value !== undefined))
