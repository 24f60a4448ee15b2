import { TOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import type { Mesh } from '../file/mesh.js'
import { requireOwn } from '../own-store.js'
import type { MeshStores } from '../stores.js'

/**
 * Reads the stores of a mesh, one after another, since a key may be asked for.
 *
 * @returns by the agent's name
 * @throws {TOTPError} `ERR_STORE_MISSING` where one is not there yet, `ERR_CONFIG_INVALID` for one of another agent and for
 *   one whose peers share a seed, and `ERR_STORE_*`
 */
export async function requireRosters(mesh: Mesh, stores: MeshStores): Promise<ReadonlyMap<string, Roster>> {
  const rosters = new Map<string, Roster>()
  for (const agent of mesh.agents.values()) {
    const store = stores(agent)
    if (!store.exists()) {
      throw new TOTPError(
        'ERR_STORE_MISSING',
        `the store of ${agent.name}, ${store.path}, is not there; run \`a2a-totp mesh apply\` first`,
      )
    }
    const roster = await store.read()
    requireOwn(agent, roster)
    rosters.set(agent.name, roster)
  }
  return rosters
}
