import { resolve } from 'node:path'
import type * as v from 'valibot'
import { defaultOverlapMs, type MeshAgent, type MeshEdge, type MeshPeer } from './mesh.js'
import type { agentSchema, callSchema, defaultsSchema, peerSchema } from './schema.js'

// How the entries of a mesh file become its agents, peers and edges, with the defaults put in.

export type Defaults = v.InferOutput<typeof defaultsSchema>
export type AgentEntry = v.InferOutput<typeof agentSchema>
export type PeerEntry = v.InferOutput<typeof peerSchema>
export type CallEntry = v.InferOutput<typeof callSchema>

/** What is known of an entry besides what it says. */
interface Place {
  readonly name: string
  readonly line: number
  /** Of the mesh file. */
  readonly folder: string
}

/** Returns an agent: what it does not say itself is that of the defaults. */
export function agentOf(
  own: AgentEntry,
  { algorithm, digits, period, window, header, replay, signed, serverFile }: Defaults,
  { name, line, folder }: Place,
): MeshAgent {
  const { url, store = `stores/${name}.json`, deliver, canaries, allowHosts } = own
  const file = own.serverFile ?? forName(serverFile, name)
  return withoutUndefined({
    name,
    url,
    store: resolve(folder, store),
    algorithm: own.algorithm ?? algorithm,
    digits: own.digits ?? digits,
    period: own.period ?? period,
    window: own.window ?? window,
    header: own.header ?? header,
    replay: own.replay ?? replay,
    signed: own.signed ?? signed,
    deliver,
    serverFile: file === undefined ? undefined : resolve(folder, file),
    canaries,
    allowHosts,
    line,
  }) as MeshAgent
}

/** Returns a peer. */
export function peerOf(
  { deliver, clientFile }: PeerEntry,
  defaults: Defaults,
  { name, line, folder }: Place,
): MeshPeer {
  const file = clientFile ?? forName(defaults.clientFile, name)
  return {
    name,
    ...(deliver !== undefined && { deliver }),
    ...(file !== undefined && { clientFile: resolve(folder, file) }),
    line,
  }
}

/** What applies to an edge, the nearest first. */
interface Sources {
  readonly call: CallEntry
  readonly peer: PeerEntry
  readonly agent: AgentEntry
  readonly defaults: Defaults
}

/** Returns an edge. Its own policies are those of the call or the peer; the others apply through the agent. */
export function edgeOf({ call, peer, agent, defaults }: Sources, name: string, line: number): MeshEdge {
  const first = <K extends 'algorithm' | 'digits' | 'period' | 'overlap' | 'rotateAfter'>(key: K) =>
    call[key] ?? peer[key] ?? agent[key] ?? defaults[key]
  const own = <K extends 'replay' | 'signed' | 'note' | 'expires'>(key: K) => call[key] ?? peer[key]
  return withoutUndefined({
    peer: name,
    agent: call.agent,
    replay: own('replay'),
    signed: own('signed'),
    algorithm: first('algorithm'),
    digits: first('digits'),
    period: first('period'),
    note: own('note'),
    expires: own('expires'),
    overlapMs: first('overlap') ?? defaultOverlapMs,
    rotateAfterMs: first('rotateAfter'),
    line,
  }) as MeshEdge
}

/** `{name}` in a path of the defaults stands for the name. */
const forName = (path: string | undefined, name: string): string | undefined =>
  path?.replaceAll('{name}', () => name)

function withoutUndefined(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
}
