import type { Roster } from '../../../core/roster.js'
import type { CliContext } from '../../context.js'
import { requireServerOut, serverFileOf } from '../server-out.js'
import { deliverServerFile, type Problem } from './deliveries.js'
import { deliversServer, type GivenStagedOptions } from './given-options.js'
import { completed } from './staged-options.js'

/**
 * Prepares to give an agent its server file after a change that creates nothing. What its reader would refuse is refused
 * before anything is changed.
 *
 * @param planned the roster with the change
 * @returns what delivers the file of the roster that the store has then; undefined where nobody asked for it
 * @throws {TOTPError} for a file that is not replaced or cannot be written, or that the agent would refuse
 */
export async function serverDelivery(
  context: CliContext,
  planned: Roster,
  given: GivenStagedOptions,
): Promise<((after: Roster) => Promise<Problem>) | undefined> {
  if (!deliversServer(given)) return undefined
  const options = completed(context, given)
  if (options.serverOut !== undefined) requireServerOut(context, planned, options.serverOut)
  await serverFileOf(context, planned, options)
  return async (after) =>
    deliverServerFile(context, after, await serverFileOf(context, after, options), options)
}
