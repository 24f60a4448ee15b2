import { isTOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import { sharedSeedProblem } from '../../core/shared-seed.js'
import { printable } from '../../core/text.js'
import { renderServerFragment, type RenderedFragment } from '../../fragments/index.js'
import type { CliContext } from '../context.js'
import { requireReplaceable, writeDelivered } from '../io/delivered-file.js'
import { keepSecret, refuseStore } from '../io/result-file.js'

// `--server-out FILE`: the server file that the agent follows, written by the command that changes the store.

/** What a command with `--server-out` takes beside the file. */
export interface ServerFileOptions {
  readonly allowWeakSeed?: true
}

/**
 * Returns the server file of a roster, as `config server` prints it.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for one that the agent would refuse
 */
export async function serverFileOf(
  context: CliContext,
  roster: Roster,
  options: ServerFileOptions,
): Promise<string> {
  const { output } = context
  const { content, warnings } = await acceptedFile(context, roster, options)
  if (roster.peers.size === 0) output.warn('the store has no peers, so the agent would refuse every caller')
  for (const warning of warnings) output.say(warning)
  return content
}

async function acceptedFile(
  { now }: CliContext,
  roster: Roster,
  { allowWeakSeed }: ServerFileOptions,
): Promise<RenderedFragment> {
  const { readAsAgent, refused } = await import('./config/server-reader.js')
  const problem = sharedSeedProblem(roster)
  if (problem) throw refused(`${problem.message}; ${problem.fix}`)
  const fragment = await renderServerFragment('json', { roster, at: now() })
  if (fragment.agentReads) readAsAgent(fragment.agentReads, allowWeakSeed ?? false)
  return fragment
}

/**
 * Requires that a file is new, or a server file of this agent.
 *
 * @throws {TOTPError} `ERR_FILE_EXISTS` for any other; `ERR_FILE_UNWRITABLE` for a link, a folder or a device,
 *   and when no file can be written there
 */
export function requireServerOut({ store }: CliContext, { agent }: Roster, path: string): void {
  refuseStore(store, path)
  requireReplaceable(path, {
    what: `a server file of ${printable(agent)}`,
    isOne: (document) => 'peers' in document && document['agent'] === agent,
  })
}

/**
 * Writes the server file, and keeps it out of git.
 *
 * @returns why it was not written; undefined when it was
 */
export async function writeServerOut(
  context: CliContext,
  roster: Roster,
  path: string,
  content: string,
): Promise<string | undefined> {
  let warning: string | undefined
  try {
    requireServerOut(context, roster, path)
    warning = writeDelivered(path, content)
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return error.message
  }
  context.output.say(`wrote ${path}`)
  if (warning !== undefined) context.output.warn(warning)
  await keepSecret(context, path, { gitignore: true })
  return undefined
}

/**
 * What would be refused when the server file is written is refused before anything is changed.
 *
 * @param planned the roster with the change
 * @throws {TOTPError} as {@link requireServerOut} and {@link serverFileOf}
 */
export async function requireDelivery(
  context: CliContext,
  planned: Roster,
  path: string,
  options: ServerFileOptions,
): Promise<void> {
  requireServerOut(context, planned, path)
  await acceptedFile(context, planned, options)
}

/**
 * Writes the server file of a roster that the store has.
 *
 * @returns why it was not written; undefined when it was
 */
export async function deliverServerOut(
  context: CliContext,
  roster: Roster,
  path: string,
  options: ServerFileOptions,
): Promise<string | undefined> {
  try {
    return await writeServerOut(context, roster, path, await serverFileOf(context, roster, options))
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return error.message
  }
}
