import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import type { Peer, Roster } from '../../src/core/roster.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { startDemoAgent, type DemoOptions } from '../../src/demo/index.js'
import type { Mesh } from '../../src/mesh/file/mesh.js'
import { parseMesh } from '../../src/mesh/file/parse.js'
import type { MeshReport } from '../../src/mesh/prove/mesh-report.js'
import type { ProveOptions } from '../../src/mesh/prove/prove-options.js'
import { proveMesh, type Proof } from '../../src/mesh/prove/prove.js'

const madeAt = new Date('2026-01-01T00:00:00Z')

/** A peer with a new seed and a new token. */
export function freshPeer(name: string, overrides: Partial<Peer> = {}): Peer {
  return {
    ...defaultProfile,
    name,
    createdAt: madeAt,
    seeds: [{ id: `${name}-seed`, createdAt: madeAt, seed: Seed.fromBytes(randomBytes(20)) }],
    tokens: [
      {
        id: `${name}-token`,
        createdAt: madeAt,
        token: Token.parse(`a2at_${randomBytes(32).toString('base64url')}`),
      },
    ],
    ...overrides,
  }
}

/** A store of an agent with new peers. */
export function freshRoster(
  agent: string,
  peers: readonly (string | Peer)[],
  overrides: Partial<Roster> = {},
): Roster {
  const made = peers.map((peer) => (typeof peer === 'string' ? freshPeer(peer) : peer))
  return {
    ...{ agent, profile: defaultProfile, replay: 'reuse' },
    peers: new Map(made.map((peer) => [peer.name, peer])),
    ...overrides,
  }
}

/** The same roster with some peers other than they were, or without them. */
export function withPeers(roster: Roster, changes: Readonly<Record<string, Peer | undefined>>): Roster {
  const peers = new Map(roster.peers)
  for (const [name, peer] of Object.entries(changes)) {
    if (peer) peers.set(name, peer)
    else peers.delete(name)
  }
  return { ...roster, peers }
}

/** A demo agent that knows this roster, stopped when the test is over. Returns its origin. */
export async function agentWith(roster: Roster, options: Partial<DemoOptions> = {}): Promise<string> {
  const agent = await startDemoAgent({ roster, port: 0, ...options })
  onTestFinished(() => agent.close())
  return new URL(agent.cardUrl).origin
}

/** What calls what, and where agents are. */
export interface Drawn {
  readonly agents: Readonly<Record<string, string>>
  readonly peers: Readonly<Record<string, readonly (string | object)[]>>
}

/** The text of a mesh file. */
export function meshText({ agents, peers }: Drawn): string {
  const file = {
    version: 1,
    agents: Object.fromEntries(Object.entries(agents).map(([name, url]) => [name, { url }])),
    peers: Object.fromEntries(Object.entries(peers).map(([name, calls]) => [name, { calls }])),
  }
  return JSON.stringify(file, null, 1)
}

const meshOf = (drawn: Drawn): Mesh => parseMesh(meshText(drawn), '/nowhere/mesh.json')

/** Starts an agent for each roster and proves the mesh that they are. */
export async function proveDrawn(
  rosters: readonly Roster[],
  peers: Drawn['peers'],
  {
    served = {},
    urls = {},
    bindings = ['jsonrpc'],
    ...options
  }: Partial<ProveOptions> & {
    /** What an agent really knows, where that is not what its store holds. */
    readonly served?: Readonly<Record<string, Roster>>
    /** Where an agent is, where the file names another place. */
    readonly urls?: Readonly<Record<string, string>>
    /** By default JSON-RPC alone, which is soon done. */
    readonly bindings?: DemoOptions['bindings']
  } = {},
): Promise<Proof> {
  const agents: Record<string, string> = {}
  for (const roster of rosters)
    agents[roster.agent] =
      urls[roster.agent] ?? (await agentWith(served[roster.agent] ?? roster, { bindings }))
  return proveMesh({
    mesh: meshOf({ agents, peers }),
    name: 'mesh.json',
    rosters: new Map(rosters.map((roster) => [roster.agent, roster])),
    ...{ timeoutMs: 20_000, now: () => new Date(), random: randomBytes },
    ...options,
  })
}

/** The matrix by `peer agent`: whether each was let in, and what came of it. */
export const cellsOf = ({ matrix }: MeshReport): Record<string, string> =>
  Object.fromEntries(
    matrix.map(({ peer, agent, admitted, status, removed }) => [
      `${peer} ${agent}${removed ? ' removed' : ''}`,
      `${String(admitted)} ${status}`,
    ]),
  )

/** Waits until a time step has room for a run, so that none is cut by its end. */
export async function freshStep(): Promise<void> {
  const left = 30_000 - (Date.now() % 30_000)
  if (left < 4000) await sleep(left)
}
