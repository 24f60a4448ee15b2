import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { seedToHandOut } from '../../../core/live-credentials.js'
import { peerNamed } from '../../../core/provision.js'
import { clientVariables } from '../../../fragments/client-env.js'
import { writableUrl } from '../../../fragments/env-file.js'
import { withoutOwnVariables } from '../../../programs/environment.js'
import { runInPlace } from '../../../programs/take-over.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext, type DefineCommand } from '../../context.js'
import type { System } from '../../system.js'
import { warnOfWeakSeed } from './code-source.js'

export const define: DefineCommand = (command, invocation) =>
  inContext((exec, context) => describe(exec, context, invocation.system))(command, invocation)

const describe = (command: Command, context: CliContext, system: System): Command =>
  command
    .argument(...peerArgument('<name>', 'the peer'))
    .argument('<command...>', 'the command and its arguments, after --')
    .usage('[options] <name> -- <command...>')
    .addHelpText(
      'after',
      `
Runs COMMAND with the variables of \`config client NAME --format env\` in its environment, and no other A2A_TOTP_*: not
the store, nor its identity or passphrase. Without a shell: for a pipe or a variable, pass one. The exit code is that of
COMMAND; 127 if it is not found, 126 if it cannot be run, 128 + n if signal n ended it. Signals are passed on to it.

Examples:
  $ a2a-totp exec alice -- ./agent --port 8080
  $ a2a-totp exec alice -- sh -c 'curl -H "Authorization: Bearer $A2A_TOTP_TOKEN" …'`,
    )
    .action(async (name: string, given: string[], _: object, self: Command) => {
      const [program = '', ...args] = commandAfter(name, given, rawArgsOf(self))
      const { store, now, env, output, progress, setExitCode, cwd, signal } = context
      const roster = await store.read()
      const peer = peerNamed(roster, name)
      const at = now()
      const variables = clientVariables({ roster, peer, at }, writableUrl)
      warnOfWeakSeed(output, seedToHandOut(roster, peer, at).seed)
      signal.throwIfAborted()
      progress.stop()
      const run = await runInPlace(program, args, {
        cwd,
        env: { ...withoutOwnVariables(env), ...variables },
        onSignal: (receive) => system.onSignal?.(receive),
      })
      if ('exitCode' in run) {
        setExitCode(run.exitCode)
        return
      }
      throw new TOTPError(
        run.failure === 'not found' ? 'ERR_COMMAND_MISSING' : 'ERR_COMMAND_UNUSABLE',
        `${run.reason}; pass a command that can be run after --`,
      )
    })

/** The whole command line, which commander keeps at the program, but not in its types. */
const rawArgsOf = ({ parent }: Command): readonly string[] =>
  (parent as { readonly rawArgs?: readonly string[] } | null)?.rawArgs ?? []

/**
 * The command and its arguments. Without `--` before it, its options could be taken for ours.
 *
 * @param raw the whole command line
 * @throws {TOTPError} `ERR_USAGE`
 */
function commandAfter(name: string, given: readonly string[], raw: readonly string[]): readonly string[] {
  const end = raw.indexOf('--')
  const after = end < 0 ? raw.slice(raw.indexOf(name, raw.indexOf('exec') + 1) + 1) : raw.slice(end + 1)
  if (given.length === after.length && given.every((word, index) => word === after[index])) return given
  throw new TOTPError('ERR_USAGE', 'write -- before the command: a2a-totp exec NAME -- COMMAND…')
}
