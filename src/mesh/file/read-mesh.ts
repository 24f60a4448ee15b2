import { dirname } from 'node:path'
import { isObject, type JsonObject } from '../../core/json.js'
import { isName, nameRule } from '../../core/name.js'
import { didYouMean } from '../../core/nearest.js'
import type { Checker } from './checker.js'
import { refuseSharedPlaces } from './shared-places.js'
import {
  agentOf,
  edgeOf,
  peerOf,
  type AgentEntry,
  type CallEntry,
  type Defaults,
  type PeerEntry,
} from './entries.js'
import type { Mesh, MeshAgent, MeshEdge, MeshPeer } from './mesh.js'
import { agentSchema, callSchema, defaultsSchema, name as nameSchema, peerSchema } from './schema.js'

/**
 * Reads the tree of a mesh file. Where the checker noted faults, the mesh is of no use.
 *
 * @param path the absolute path of the file; paths in it are relative to its folder
 */
export function readMesh(tree: unknown, path: string, checker: Checker): Mesh {
  const folder = dirname(path)
  const file = { path, folder }
  if (!isObject(tree)) {
    checker.say([], 'must be a map with version, agents and peers')
    return { ...file, agents: new Map(), peers: new Map(), edges: [] }
  }
  checker.keys(tree, ['version', 'defaults', 'agents', 'peers'], [])
  readVersion(tree['version'], checker)
  const defaults = checker.map(defaultsSchema, tree['defaults'] ?? {}, ['defaults']) ?? {}
  const agents = readAgents(tree, { checker, defaults, folder })
  const { peers, edges } = readPeers(tree, { checker, defaults, folder, agents })
  const mesh = { ...file, agents: mapOf(agents, ({ agent }) => agent), peers, edges }
  refuseSharedPlaces(mesh, checker)
  return mesh
}

interface Reading {
  readonly checker: Checker
  readonly defaults: Defaults
  readonly folder: string
}

interface ReadAgent {
  readonly entry: AgentEntry
  readonly agent: MeshAgent
}

function readVersion(version: unknown, checker: Checker): void {
  if (version === 1) return
  if (version === undefined) checker.say(['version'], 'is missing; write version: 1 at the top')
  else if (typeof version === 'number' && version > 1)
    checker.say(['version'], 'is that of a newer a2a-totp; update a2a-totp')
  else checker.say(['version'], 'must be 1')
}

function readAgents(tree: JsonObject, { checker, defaults, folder }: Reading): Map<string, ReadAgent> {
  const agents = new Map<string, ReadAgent>()
  for (const [name, given] of entriesOf(tree, 'agents', checker)) {
    const at = ['agents', name]
    const entry = checker.map(agentSchema, given, at)
    if (!entry) continue
    agents.set(name, { entry, agent: agentOf(entry, defaults, { name, folder, line: checker.lineOf(at) }) })
    for (const [index, canary] of (entry.canaries ?? []).entries())
      if (entry.canaries?.indexOf(canary) !== index)
        checker.say([...at, 'canaries', index], 'is there already; name each canary once')
  }
  return agents
}

function readPeers(
  tree: JsonObject,
  { checker, defaults, folder, agents }: Reading & { readonly agents: ReadonlyMap<string, ReadAgent> },
): Pick<Mesh, 'peers' | 'edges'> {
  const peers = new Map<string, MeshPeer>()
  const edges: MeshEdge[] = []
  for (const [name, given] of entriesOf(tree, 'peers', checker)) {
    const at = ['peers', name]
    const peer = checker.map(peerSchema, given, at)
    if (!peer) continue
    peers.set(name, peerOf(peer, defaults, { name, folder, line: checker.lineOf(at) }))
    const called = new Set<string>()
    for (const { call, at: place } of readCalls(peer, [...at, 'calls'], checker)) {
      const target = agents.get(call.agent)
      if (called.has(call.agent)) checker.say(place, 'names an agent that is there already; name each once')
      else if (!target) sayUnknown(call.agent, tree['agents'], place, checker)
      else if (target.agent.canaries?.includes(name))
        checker.say(place, 'calls an agent that has a canary of the name of this peer; rename one of them')
      else edges.push(edgeOf({ call, peer, agent: target.entry, defaults }, name, checker.lineOf(place)))
      called.add(call.agent)
    }
  }
  return { peers, edges }
}

interface Call {
  readonly call: CallEntry
  readonly at: readonly (string | number)[]
}

function readCalls({ calls }: PeerEntry, path: Call['at'], checker: Checker): Call[] {
  return calls.flatMap((given, index): Call[] => {
    const at = [...path, index]
    if (isObject(given)) {
      const call = checker.map(callSchema, given, at)
      return call ? [{ call, at }] : []
    }
    const agent = checker.value(nameSchema, given, at)
    return agent === undefined ? [] : [{ call: { agent }, at }]
  })
}

/** An agent whose own entry is not valid, is there all the same. */
function sayUnknown(agent: string, agents: unknown, at: Call['at'], checker: Checker): void {
  if (!isObject(agents) || Object.hasOwn(agents, agent)) return
  const near = didYouMean([agent], Object.keys(agents).filter(isName))
  checker.say(at, `names an agent that is not under agents${near === undefined ? '' : `; ${near}`}`)
}

/** The entries of a map from names. One that is there with nothing in it is empty. */
function entriesOf(tree: JsonObject, key: 'agents' | 'peers', checker: Checker): [string, unknown][] {
  const entries = tree[key]
  if (entries === null) return []
  if (!isObject(entries)) {
    checker.say([key], entries === undefined ? 'is missing' : 'must be a map from names')
    return []
  }
  return Object.entries(entries).filter(([name]) => {
    if (isName(name)) return true
    checker.say([key, name], `has a name that is not allowed; use ${nameRule}`)
    return false
  })
}

const mapOf = <T, U>(map: ReadonlyMap<string, T>, change: (value: T) => U): Map<string, U> =>
  new Map(Array.from(map, ([key, value]) => [key, change(value)]))
