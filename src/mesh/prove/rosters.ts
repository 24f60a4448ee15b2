import { isSameName } from '../../core/card/hosts.js'
import { TOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import { isLoopback, portOf } from '../../core/url.js'
import type { Mesh, MeshAgent } from '../file/mesh.js'
import { requireOwn } from '../own-store.js'
import type { MeshStores } from '../stores.js'

/**
 * Reads the stores of a mesh, one after another, since a key may be asked for.
 *
 * @returns by the agent's name
 * @throws {TOTPError} `ERR_STORE_MISSING` where one is not there yet, `ERR_CONFIG_INVALID` for one of another agent and for
 *   one whose peers share a seed or that is for another host, and `ERR_STORE_*`
 */
export async function requireRosters(mesh: Mesh, stores: MeshStores): Promise<ReadonlyMap<string, Roster>> {
  const rosters = new Map<string, Roster>()
  for (const agent of mesh.agents.values()) {
    const store = stores(agent)
    const roster = await store.read()
    requireOwn(agent, roster)
    requireSameServer(store.path, roster, agent)
    rosters.set(agent.name, roster)
  }
  return rosters
}

/**
 * A mesh file may come from somewhere else, and name a store that it does not belong to. What listens on this machine is the
 * user's own: agents under test are somewhere else each time.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID`
 */
function requireSameServer(path: string, { url }: Roster, agent: MeshAgent): void {
  if (url === undefined || isLoopback(new URL(agent.url)) || isSameServer(url, agent.url)) return
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    `${path} has credentials for ${originOf(url)}, and the mesh file says that ${agent.name} is at ${originOf(agent.url)} ` +
      `(line ${agent.line}), so nothing was sent; run \`a2a-totp mesh apply\` first, if that is right`,
  )
}

function isSameServer(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)]
  return a.protocol === b.protocol && isSameName(a, b) && portOf(a) === portOf(b)
}

const originOf = (url: string): string => new URL(url).origin
