import type { Peer, Roster } from '../../core/roster.js'
import { withOldEnding, withoutPending, withStep } from '../../core/staged-rotation.js'
import type { Delivered, DeliveryRecord } from '../apply/delivered.js'
import { edgesOf, type Mesh, type MeshPeer } from '../file/mesh.js'
import {
  clientDocumentOf,
  digestOf,
  placeOfAgent,
  placeOfPeer,
  serverDocumentOf,
  undeclaredIn,
  type Place,
} from './documents.js'
import type { MeshChange } from './plan.js'

/** The stores as they are, and as they will be, with every rotation at its end. */
export interface Rosters {
  readonly before: ReadonlyMap<string, Roster>
  /** Without what needs a word. Where nothing does, the four are the same object. */
  readonly plain: ReadonlyMap<string, Roster>
  readonly pruned: ReadonlyMap<string, Roster>
  readonly agreed: ReadonlyMap<string, Roster>
  readonly whole: ReadonlyMap<string, Roster>
}

/** What is new, and which word it needs. */
type News = { readonly needs?: 'prune' | 'yes' } | undefined

/** Returns a row for each server file that is not what was delivered last, by the names of agents. */
export function serverRows(mesh: Mesh, rosters: Rosters, delivered: DeliveryRecord): MeshChange[] {
  const agents = [...mesh.agents.values()].sort(byName)
  return agents.flatMap((agent): MeshChange[] => {
    const place = placeOfAgent(agent)
    if (!place) return []
    const record = delivered.agents.get(agent.name)
    // Each agent has a server file, so where none was delivered there is no need to make it.
    if (!record) return [{ agent: agent.name, action: 'deliver' }]
    const news = newsOf(place, record, rosters, (some) => {
      const roster = some.get(agent.name)
      return roster && serverDocumentOf(roster, record.at)
    })
    return news ? [{ agent: agent.name, action: 'deliver', ...news }] : []
  })
}

/** Returns a row for each edge that makes a client file other than what was delivered last, by the names of peers. */
export function clientRows(mesh: Mesh, rosters: Rosters, delivered: DeliveryRecord, at: Date): MeshChange[] {
  const peers = [...mesh.peers.values()].sort(byName)
  return peers.flatMap((peer): MeshChange[] => {
    const place = placeOfPeer(peer)
    if (!place) return []
    const record = delivered.peers.get(peer.name)
    const instant = record?.at ?? at
    const also = undeclaredIn(mesh, peer.name, record)
    const documentOf = (some: ReadonlyMap<string, Roster>) => {
      const now = clientDocumentOf(mesh, some, peer.name, at, { also })
      // Where everything in it has expired since, there is nothing to deliver.
      return now && record ? clientDocumentOf(mesh, some, peer.name, instant, { also }) : now
    }
    const news = newsOf(place, record, rosters, documentOf)
    if (!news) return []
    const wasDelivered = isDelivered(place, record, documentOf(rosters.before))
    const changed = wasDelivered ? changedAgents(mesh, peer, rosters, instant) : []
    const agents = changed.length > 0 ? changed : edgesOf(mesh, peer.name).map(({ agent }) => agent)
    return agents.sort().map((agent) => ({ agent, peer: peer.name, action: 'deliver', ...news }))
  })
}

/** What the rotations that are pending will have come to. */
export function withRotationsOver(roster: Roster, at: Date): Roster {
  return [...roster.peers.values()].reduce((before, { name, pending }: Peer) => {
    if (!pending) return before
    const { id } = pending
    const delivered = withStep(before, name, id, 'delivered')
    return withoutPending(withOldEnding(delivered, [name], id, at), [name], id)
  }, roster)
}

function newsOf(
  place: Place,
  record: Delivered | undefined,
  { plain, pruned, agreed, whole }: Rosters,
  documentOf: (rosters: ReadonlyMap<string, Roster>) => object | undefined,
): News {
  const isNew = (rosters: ReadonlyMap<string, Roster>): boolean => {
    const document = documentOf(rosters)
    return document !== undefined && !isDelivered(place, record, document)
  }
  if (isNew(plain)) return {}
  if (pruned !== plain && isNew(pruned)) return { needs: 'prune' }
  // A peer keeps what it has of an agent that it may no longer call, so that what is pruned is not in the whole.
  const isChanged = whole !== plain && (isNew(whole) || isNew(agreed))
  return isChanged ? { needs: 'yes' } : undefined
}

const isDelivered = (place: Place, record: Delivered | undefined, document: object | undefined): boolean =>
  record !== undefined && document !== undefined && record.digest === digestOf(place, document)

/** The agents whose part of a client file will be another. */
function changedAgents(mesh: Mesh, { name }: MeshPeer, { before, whole }: Rosters, at: Date): string[] {
  const others = (agent: string): string[] => [...mesh.agents.keys()].filter((one) => one !== agent)
  return edgesOf(mesh, name)
    .map(({ agent }) => agent)
    .filter((agent) => {
      const [old, now] = [before, whole].map((rosters) =>
        clientDocumentOf(mesh, rosters, name, at, { without: others(agent) }),
      )
      return JSON.stringify(old) !== JSON.stringify(now)
    })
}

const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name < other.name ? -1 : 1
