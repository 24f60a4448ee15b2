import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import type { RandomBytes } from '../../src/core/random.js'
import type { Roster } from '../../src/core/roster.js'
import { nothingDelivered, type DeliveryRecord } from '../../src/mesh/apply/delivered.js'
import { defaultOverlapMs, type Mesh, type MeshAgent, type MeshEdge } from '../../src/mesh/file/mesh.js'
import { withRotationsOver } from '../../src/mesh/plan/deliver-rows.js'
import {
  clientDocumentOf,
  digestOf,
  partsOf,
  placeOfAgent,
  placeOfPeer,
  serverDocumentOf,
  undeclaredIn,
} from '../../src/mesh/plan/documents.js'
import type { Plan } from '../../src/mesh/plan/plan.js'
import { planOf } from '../../src/mesh/plan/plan-of.js'
import { rosterAfter } from '../../src/mesh/plan/roster-after.js'
import { lookAt } from './roster.js'

/** Bytes that no two calls get, and that are the same in each run. */
export function seededRandom(name = 'test'): RandomBytes {
  let calls = 0
  return (size) => {
    const bytes = createHash('sha512').update(`${name} ${calls++}`).digest()
    return bytes.subarray(0, size)
  }
}

/** A mesh of these agents and edges, with nothing else named; every agent and peer has a file as its place. */
export function meshOf(
  agents: readonly (Partial<MeshAgent> & { readonly name: string })[],
  edges: readonly (Partial<MeshEdge> & { readonly peer: string; readonly agent: string })[] = [],
  peers: readonly string[] = [],
): Mesh {
  const path = '/mesh/mesh.yaml'
  const names = [...new Set([...edges.map(({ peer }) => peer), ...peers])]
  return {
    path,
    folder: dirname(path),
    agents: new Map(
      agents.map(({ name, ...rest }, index) => [
        name,
        {
          ...{ name, url: `https://${name}.example/a2a`, store: `/mesh/stores/${name}.json` },
          ...{ serverFile: `/mesh/${name}.json`, line: index + 1, ...rest },
        },
      ]),
    ),
    peers: new Map(
      names.map((name, index) => [
        name,
        { name, clientFile: `/mesh/clients/${name}.json`, line: index + 100 },
      ]),
    ),
    edges: edges.map((edge, index) => ({ overlapMs: defaultOverlapMs, line: index + 1000, ...edge })),
  }
}

/** What the stores hold, and what was delivered. */
export interface MeshState {
  readonly rosters: ReadonlyMap<string, Roster>
  readonly delivered: DeliveryRecord
}

export const nothingYet: MeshState = { rosters: new Map(), delivered: nothingDelivered }

/** The plan for a mesh at {@link lookAt}, unless told otherwise. */
export const planFor = (mesh: Mesh, state = nothingYet, at = lookAt): Plan => planOf(mesh, { ...state, at })

/** What is there once that plan was applied. */
export const settled = (mesh: Mesh, state = nothingYet, at = lookAt): MeshState =>
  applied(mesh, state, at, planFor(mesh, state, at))

let runs = 0

/** What an apply does that nothing goes wrong in, without its files and commands: the stores, and the rows of a plan that deliver. */
export function applied(mesh: Mesh, state: MeshState, at: Date, { changes }: Plan, prune = true): MeshState {
  const stores = new Map(
    [...stored(mesh, state, at, [...mesh.agents.keys()], prune)].map(([name, roster]) => [
      name,
      mesh.agents.has(name) ? withRotationsOver(roster, at) : roster,
    ]),
  )
  const rows = changes.filter(({ action }) => action === 'deliver')
  const agents = rows.filter(({ peer }) => peer === undefined).map(({ agent }) => agent)
  const peers = rows.flatMap(({ peer }) => peer ?? [])
  return { rosters: stores, delivered: recorded(mesh, state, stores, at, { agents, peers }) }
}

/** What an apply leaves behind that was killed: some stores are written, and some files are delivered. */
export function cutOff(
  mesh: Mesh,
  state: MeshState,
  at: Date,
  done: {
    readonly stores: readonly string[]
    readonly servers: readonly string[]
    readonly clients: readonly string[]
  },
): MeshState {
  const rosters = stored(mesh, state, at, done.stores, true)
  const delivered = recorded(mesh, state, rosters, at, { agents: done.servers, peers: done.clients })
  return { rosters, delivered }
}

function stored(
  mesh: Mesh,
  { rosters }: MeshState,
  at: Date,
  names: readonly string[],
  prune: boolean,
): Map<string, Roster> {
  const random = seededRandom(`run ${runs++}`)
  const after = new Map(rosters)
  for (const name of names) {
    const options = { at, random, prune, stagingId: `r${runs}` }
    if (mesh.agents.has(name)) after.set(name, rosterAfter(mesh, name, rosters.get(name), options))
  }
  return after
}

/** What is remembered once some got the files of these stores. */
export function recorded(
  mesh: Mesh,
  { delivered }: MeshState,
  rosters: ReadonlyMap<string, Roster>,
  at: Date,
  names: { readonly agents: readonly string[]; readonly peers: readonly string[] },
): DeliveryRecord {
  const agents = new Map(delivered.agents)
  const peers = new Map(delivered.peers)
  for (const name of names.agents) {
    const agent = mesh.agents.get(name)
    const place = agent && placeOfAgent(agent)
    const roster = rosters.get(name)
    if (place && roster) agents.set(name, { digest: digestOf(place, serverDocumentOf(roster, at)), at })
  }
  for (const name of names.peers) {
    const peer = mesh.peers.get(name)
    const place = peer && placeOfPeer(peer)
    const also = undeclaredIn(mesh, name, delivered.peers.get(name))
    const document = clientDocumentOf(mesh, rosters, name, at, { also })
    if (place && document)
      peers.set(name, { digest: digestOf(place, document), at, parts: partsOf(document) })
  }
  return { agents, peers }
}
