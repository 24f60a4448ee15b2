import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { TOTPError, isTOTPError } from '../core/errors.js'
import { quoteName } from '../core/name.js'
import type { CliContext } from './context.js'
import { asksForJson, errorLine, oneLine } from './error-line.js'
import { exitCodeOf, exitCodes } from './exit-codes.js'
import { createContext, defaultGlobalOptions, type GlobalOptions, type World } from './system.js'

/** Makes a command that works in a context. One that is `hidden` is in no help text. */
export interface CommandMaker {
  (context: CliContext): Command
  readonly hidden?: true
}

/** Runs one command line of these commands. Gives its exit code; never throws. */
export async function runCommandLine(
  commands: Iterable<CommandMaker>,
  args: readonly string[],
  world: World,
): Promise<number> {
  let exitCode: number = exitCodes.done
  const options = defaultGlobalOptions()
  const context = createContext(world, options, (code) => (exitCode = code))
  try {
    await createProgram(commands, context, options, world, asksForJson(args)).parseAsync(args, {
      from: 'user',
    })
  } catch (error) {
    exitCode = report(error, world, asksForJson(args))
  }
  const { aborted, reason } = world.signal as { aborted: boolean; reason: unknown }
  // An answer that nobody reads is still the answer.
  if (!aborted || reason === 'EPIPE') return exitCode
  return reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted
}

function createProgram(
  commands: Iterable<CommandMaker>,
  context: CliContext,
  options: GlobalOptions,
  { stdout, stderr, env }: World,
  json: boolean,
): Command {
  const program = new Command('a2a-totp')
    .description('A second factor for A2A agents: bearer token plus a TOTP code on every request.')
    .version(packageJson.version)
    .option(
      '--store <path>',
      'the store; else $A2A_TOTP_STORE, else the nearest a2a-totp.json upward',
      requirePath,
    )
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'no remarks on stderr, errors only')
    .option('--no-color', 'no colours, spinners and countdowns')
    .option('--allow-insecure-permissions', 'use a store that others could read')
    .addHelpText(
      'after',
      `
Start here:
  $ a2a-totp init --agent billing
  $ a2a-totp add-peer alice
  $ a2a-totp config client alice         # what alice needs; secret
  $ a2a-totp config server               # what the agent needs; secret
  $ a2a-totp probe https://billing.example alice

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 a store, file or configuration cannot be used,
4 the agent cannot be reached, 70 a bug, 130 / 143 interrupted.`,
    )
    .helpCommand(false)
    .hook('preAction', (root, action) => {
      Object.assign(options, root.opts(), { command: nameOf(action) })
    })
  for (const make of commands) program.addCommand(make(context), { hidden: make.hidden ?? false })
  forEachCommand(program, (command) =>
    command
      .exitOverride((error) => {
        throw error.exitCode === 0 ? error : usageError(error, command)
      })
      .configureOutput({
        writeOut: (text) => stdout.write(text),
        // Help that nobody asked for: a command line without a command.
        writeErr: (text) => !json && stderr.write(text),
        // Said once, in one line, by `report`.
        outputError: () => undefined,
        getOutHasColors: () => stdout.isTTY === true && !env['NO_COLOR'],
        getErrHasColors: () => stderr.isTTY === true && !env['NO_COLOR'],
      })
      .showSuggestionAfterError(true),
  )
  return program
}

/** A script whose variable was not set must not change some other store. */
function requirePath(path: string): string {
  if (path !== '') return path
  throw new TOTPError('ERR_USAGE', '--store needs a path; leave it out to have the store looked for')
}

/** `rotate`, or `recipients add`; empty for the program itself. */
function nameOf(command: Command): string {
  const { parent } = command
  return parent ? `${nameOf(parent)} ${command.name()}`.trimStart() : ''
}

function forEachCommand(command: Command, visit: (command: Command) => unknown): void {
  visit(command)
  for (const child of command.commands) forEachCommand(child, visit)
}

/** Turns whatever was thrown into one line on stderr and an exit code. */
function report(error: unknown, { stderr, signal }: World, json: boolean): number {
  if (signal.aborted) return exitCodes.interrupted
  // Its help or its version was asked for, and is on stdout.
  if (error instanceof CommanderError) return exitCodes.done
  stderr.write(errorLine(isTOTPError(error) ? error : bug(error), json))
  return isTOTPError(error) ? exitCodeOf[error.code] : exitCodes.bug
}

/** The text of an unknown error may hold anything, a seed included: only where it came from is told. */
function bug(error: unknown): { code: string; message: string } {
  const where =
    error instanceof Error ? (error.stack ?? '').split('\n').find((line) => /^\s+at /.test(line)) : undefined
  const name = error instanceof Error ? error.name : typeof error
  const message = `this is a bug in a2a-totp: ${name}${where ? ` ${where.trim()}` : ''}; please report it`
  return { code: 'ERR_INTERNAL', message }
}

/** commander's words without its prefix, its line breaks, and what could be a secret in the wrong place. */
function usageError({ code, message }: CommanderError, command: Command): TOTPError {
  const help = ['a2a-totp', nameOf(command), '--help'].filter(Boolean).join(' ')
  const words =
    code === 'commander.help'
      ? 'no command given'
      : oneLine(message.replace(/^error: /, ''))
          .replace(/(unknown option '--?[\w-]+)=[^']*'/, "$1'")
          .replace(
            /(unknown (?:command|option)) '(.*?)'/,
            (_, what: string, given: string) => `${what} ${quoteName(given)}`,
          )
  return new TOTPError('ERR_USAGE', `${words.replace(/[.;]?$/, '')}; see ${help}`)
}
