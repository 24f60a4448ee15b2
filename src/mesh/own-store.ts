import { TOTPError } from '../core/errors.js'
import { quoteName } from '../core/name.js'
import type { Roster } from '../core/roster.js'
import { quoteForShell } from '../core/shell.js'
import type { MeshAgent } from './file/mesh.js'

/**
 * Requires that a store is that of the agent which the mesh file says, and that each of its peers has a seed of its own.
 * Another agent's would be changed, or its credentials handed out under a wrong name.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID`
 */
export function requireOwn(agent: MeshAgent, roster: Roster): void {
  const problem = roster.sharedSeeds
    ? `the store of ${quoteName(agent.name)} has one seed for all peers, and in a mesh each edge has its own; create a store ` +
      'without --shared-seed'
    : roster.agent !== agent.name
      ? `the store ${agent.store} is of the agent ${quoteName(roster.agent)}, not ${quoteName(agent.name)}; name another ` +
        `store, or run \`a2a-totp --store ${quoteForShell(agent.store)} rename --agent ${agent.name}\``
      : undefined
  if (problem !== undefined) throw new TOTPError('ERR_CONFIG_INVALID', problem)
}
