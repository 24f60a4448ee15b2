import { newestLive, type Peer, type Roster } from '../../core/roster.js'
import type { DeliveryRecord } from '../apply/delivered.js'
import { edgesOf, edgesTo, type Mesh, type MeshEdge } from '../file/mesh.js'
import { hasEnded, rotationDue } from './rotation-due.js'

/** Returns what the file cannot change of the edges of an agent, and what to do about it, by the names of peers. */
export function remarksOn(mesh: Mesh, agent: string, roster: Roster | undefined, at: Date): string[] {
  const edges = edgesTo(mesh, agent).sort((one, other) => (one.peer < other.peer ? -1 : 1))
  return edges.flatMap((edge) => {
    const words = remarkOn(edge, roster?.peers.get(edge.peer), at)
    return words === undefined ? [] : [`${edge.peer} -> ${agent}: ${words}`]
  })
}

/** Returns a remark on each agent that got its server file from this mesh, and is no longer in the file. */
export function remarksOnUndeclared({ agents }: Mesh, delivered: DeliveryRecord): string[] {
  const gone = [...delivered.agents.keys()].filter((name) => !agents.has(name)).sort()
  return gone.map(
    (name) =>
      `${name}: the file does not name this agent any more, so its store and its server file stay as they are, and it lets its ` +
      'peers in; to end that, name it again without peers and run `a2a-totp mesh apply --prune`',
  )
}

/** Returns a remark on each peer that has its client file, and no agent left that it may call: the file stays as it is. */
export function remarksOnCallers(mesh: Mesh, delivered: DeliveryRecord): string[] {
  const left = [...mesh.peers.values()].filter(
    ({ name }) => delivered.peers.has(name) && edgesOf(mesh, name).length === 0,
  )
  const inOrder = left.sort((one, other) => (one.name < other.name ? -1 : 1))
  return inOrder.map(({ name, clientFile }) => {
    const place = clientFile ?? 'it where its `deliver` command puts it'
    return `${name}: it calls no agent any more, so its client file stays as it was, with the credentials that it had; delete ${place}`
  })
}

/** Returns a remark on each agent whose store is gone: it got its server file from one. */
export function remarksOnLostStores(
  { agents }: Mesh,
  delivered: DeliveryRecord,
  rosters: ReadonlyMap<string, Roster>,
): string[] {
  const lost = [...agents.values()].filter(({ name }) => delivered.agents.has(name) && !rosters.has(name))
  return lost.map(
    ({ name, store }) =>
      `${name}: it has its server file, and its store ${store} is not there; put it back, or it gets a new one with new ` +
      'credentials for all of its peers',
  )
}

function remarkOn(edge: MeshEdge, peer: Peer | undefined, at: Date): string | undefined {
  const rotate = `a2a-totp mesh rotate --only ${edge.peer}:${edge.agent}`
  if (hasEnded(edge, at))
    return `it has expired (line ${edge.line} of the file); give it a later \`expires\`, or remove it and pass --prune`
  if (!peer) return undefined
  const state = rotationDue(edge, peer, at, true)
  if (state.due === 'expired')
    return `its credentials have expired; run \`${rotate}\` for new ones, or remove it`
  if (state.due === 'later')
    return `it is old, and is rotated once an older seed has ended at ${state.until.toISOString()}`
  if (state.due === 'yes' && state.rotation.seed && state.rotation.token) return undefined
  const seed = newestLive(peer.seeds, at)?.seed
  const token = newestLive(peer.tokens, at)?.token
  if (token && token.value === undefined)
    return `only the hash of its token is known, so it is left out of the client file; run \`${rotate} --token\``
  if (seed?.strong === false) return `its seed has less than 128 bits; run \`${rotate} --seed\``
  return token && 'strong' in token && !token.strong
    ? `its token has less than 128 bits; run \`${rotate} --token\``
    : undefined
}
