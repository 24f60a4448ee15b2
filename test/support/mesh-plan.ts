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
  placeOfAgent,
  placeOfPeer,
  serverDocumentOf,
} from '../../src/mesh/plan/documents.js'
import type { Plan } from '../../src/mesh/plan/plan.js'
import { rosterAfter } from '../../src/mesh/plan/roster-after.js'

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

let runs = 0

/** What an apply does that nothing goes wrong in, without its files and commands: the stores, and the rows of a plan that deliver. */
export function applied(
  mesh: Mesh,
  { rosters, delivered }: MeshState,
  at: Date,
  { changes }: Plan,
  prune = true,
): MeshState {
  const random = seededRandom(`run ${runs++}`)
  const after = new Map(rosters)
  for (const name of mesh.agents.keys()) {
    const next = rosterAfter(mesh, name, rosters.get(name), { at, random, prune, stagingId: `r${runs}` })
    after.set(name, withRotationsOver(next, at))
  }
  const agents = new Map(delivered.agents)
  const peers = new Map(delivered.peers)
  for (const { agent, peer, action } of changes) {
    if (action !== 'deliver') continue
    const of = peer === undefined ? mesh.agents.get(agent) : mesh.peers.get(peer)
    const place = of && ('url' in of ? placeOfAgent(of) : placeOfPeer(of))
    const roster = after.get(agent)
    const document =
      peer === undefined ? roster && serverDocumentOf(roster, at) : clientDocumentOf(mesh, after, peer, at)
    if (place && document)
      (peer === undefined ? agents : peers).set(peer ?? agent, { digest: digestOf(place, document), at })
  }
  return { rosters: after, delivered: { agents, peers } }
}
