import { chownSync, lstatSync, readFileSync, renameSync } from 'node:fs'
import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { isObject, parseJson } from '../../../core/json.js'
import { canariesOf, type Peer, type Roster } from '../../../core/roster.js'
import { sharedSeedProblem } from '../../../core/shared-seed.js'
import { withNewAlone } from '../../../core/staged-rotation.js'
import { printable } from '../../../core/text.js'
import { renderClientFragment, renderServerFragment } from '../../../fragments/index.js'
import { runOperatorCommand } from '../../../programs/operator-command.js'
import { overwriteFile, requireWritable } from '../../../store/atomic-write.js'
import { fileSystem } from '../../../store/file-system.js'
import type { CliContext } from '../../context.js'
import { keepSecret, refuseStore } from '../../io/result-file.js'
import { MaskedOutput } from './masked-output.js'
import type { GivenStagedOptions } from './given-options.js'
import type { StagedOptions } from './staged-options.js'

/** Why a delivery did not succeed; undefined when it did. */
export type Problem = string | undefined

/**
 * Returns the server file of a roster, as `config server` prints it.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for one that the agent would refuse
 */
export async function serverFileOf(
  { now, output }: CliContext,
  roster: Roster,
  { allowWeakSeed }: StagedOptions,
): Promise<string> {
  const { readAsAgent, refused } = await import('../config/server-reader.js')
  const problem = sharedSeedProblem(roster)
  if (problem) throw refused(`${problem.message}; ${problem.fix}`)
  const { content, agentReads, warnings } = await renderServerFragment('json', { roster, at: now() })
  for (const warning of warnings) output.say(warning)
  if (agentReads) readAsAgent(agentReads, allowWeakSeed ?? false)
  return content
}

/**
 * Returns the fragment of a peer with its new credentials.
 *
 * @throws {TOTPError} `ERR_TOKEN_UNKNOWN` when the token stays and only its hash is known; `ERR_CONFIG_INVALID` when the
 *   format cannot represent a value
 */
export async function newFragmentOf(
  { now }: CliContext,
  roster: Roster,
  peer: Peer,
  { format }: StagedOptions,
): Promise<string> {
  const { content } = await renderClientFragment(format, { roster, peer: withNewAlone(peer), at: now() })
  return content
}

/** Whether anything delivers the server file. */
export const deliversServer = ({
  serverOut,
  deliverServer,
}: Pick<GivenStagedOptions, 'serverOut' | 'deliverServer'>): boolean =>
  (serverOut ?? deliverServer) !== undefined

/** Writes the server file, and hands it to the command for it. */
export async function deliverServerFile(
  context: CliContext,
  roster: Roster,
  content: string,
  options: StagedOptions,
): Promise<Problem> {
  const { serverOut, deliverServer } = options
  if (serverOut !== undefined) {
    try {
      requireServerOut(context, roster, serverOut)
      writeServerFile(serverOut, content)
    } catch (error) {
      if (!isTOTPError(error)) throw error
      return error.message
    }
    context.output.say(`wrote ${serverOut}`)
    await keepSecret(context, serverOut, { gitignore: true })
  }
  if (deliverServer === undefined) return undefined
  context.output.say('delivering the server file')
  const own = { A2A_TOTP_AGENT: roster.agent, A2A_TOTP_FORMAT: 'json' }
  const hidden = [...roster.peers.values()]
  const failure = await runCommand(context, roster, hidden, {
    ...{ command: deliverServer, label: 'server', input: content, own },
    ...options,
  })
  return failure === undefined ? undefined : `the server file was not delivered: ${failure}`
}

/** Hands a peer's new fragment to the command for it. */
export async function deliverFragment(
  context: CliContext,
  roster: Roster,
  peer: Peer,
  options: StagedOptions & { readonly deliver: string },
): Promise<Problem> {
  const { deliver, format } = options
  const input = await newFragmentOf(context, roster, peer, options)
  const own = { A2A_TOTP_PEER: peer.name, A2A_TOTP_AGENT: roster.agent, A2A_TOTP_FORMAT: format }
  const failure = await runCommand(context, roster, [peer], {
    ...{ command: deliver, label: peer.name, input, own },
    ...options,
  })
  return failure === undefined ? undefined : `not delivered: ${failure}`
}

interface Command {
  readonly command: string
  /** What its lines begin with. */
  readonly label: string
  readonly input: string
  readonly own: Readonly<Record<string, string>>
  readonly cwd: string
  readonly timeout: number
}

async function runCommand(
  { env, signal, output }: CliContext,
  roster: Roster,
  peers: readonly Peer[],
  { command, label, input, own, cwd, timeout }: Command,
): Promise<Problem> {
  const masked = new MaskedOutput({
    seeds: [...peers.flatMap(({ seeds }) => seeds), ...(roster.sharedSeeds ?? [])].map(({ seed }) => seed),
    tokens: [...peers, ...(peers.length > 1 ? canariesOf(roster) : [])].flatMap(({ tokens }) =>
      tokens.flatMap(({ token }) => token.value ?? []),
    ),
  })
  const onLine = (line: string): void => output.remark(`${label}: ${masked.clean(line)}`)
  const timeoutMs = timeout * 1000
  return runOperatorCommand({ command, cwd, env, own, input, timeoutMs, onLine }, signal)
}

/**
 * Requires that a file is new, or a server file of this agent.
 *
 * @throws {TOTPError} `ERR_FILE_EXISTS` for any other; `ERR_FILE_UNWRITABLE` for a link, a folder or a device,
 *   and when no file can be written there
 */
export function requireServerOut({ store }: CliContext, { agent }: Roster, path: string): void {
  refuseStore(store, path)
  requireWritable(path)
  const present = lstatSync(path, { throwIfNoEntry: false })
  if (present === undefined) return
  const document = readJson(path)
  if (isObject(document) && 'peers' in document && document['agent'] === agent) return
  throw new TOTPError(
    'ERR_FILE_EXISTS',
    `${path} is not a server file of ${printable(agent)}, so it is not replaced; name another file`,
  )
}

function readJson(path: string): unknown {
  try {
    return parseJson(readFileSync(path, 'utf8'))
  } catch {
    throw new TOTPError('ERR_FILE_UNREADABLE', `cannot read ${path}, to see whether it is a server file`)
  }
}

/** As a whole; the file keeps its mode, and its owner where that is another than who runs this. */
function writeServerFile(path: string, content: string): void {
  const before = lstatSync(path, { throwIfNoEntry: false })
  overwriteFile(path, content, {
    ...fileSystem,
    renameSync(temporary, to) {
      const made = lstatSync(temporary)
      // Else the agent could not read its new file.
      if (before && (made.uid !== before.uid || made.gid !== before.gid))
        chownSync(temporary, before.uid, before.gid)
      renameSync(temporary, to)
    },
  })
}
