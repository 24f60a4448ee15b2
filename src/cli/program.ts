import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { isA2aTotpError } from '../core/errors.js'
import type { CliContext } from './context.js'
import { exitCodeOf, exitCodes } from './exit-codes.js'
import { createContext, defaultGlobalOptions, type GlobalOptions, type World } from './world.js'

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
    await createProgram(commands, context, options, world).parseAsync(args, { from: 'user' })
  } catch (error) {
    exitCode = report(error, world, args)
  }
  if (!world.signal.aborted) return exitCode
  return world.signal.reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted
}

function createProgram(
  commands: Iterable<CommandMaker>,
  context: CliContext,
  options: GlobalOptions,
  { stdout, stderr, env }: World,
): Command {
  const program = new Command('a2a-totp')
    .description('A second factor for A2A agents: bearer token plus a TOTP code on every request.')
    .version(packageJson.version)
    .option('--store <path>', 'the store; else $A2A_TOTP_STORE, else the nearest a2a-totp.json upward')
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
      .exitOverride()
      .configureOutput({
        writeOut: (text) => stdout.write(text),
        writeErr: (text) => stderr.write(text),
        // Said once, in one line, by `report`.
        outputError: () => undefined,
        getOutHasColors: () => stdout.isTTY === true && !env['NO_COLOR'],
        getErrHasColors: () => stderr.isTTY === true && !env['NO_COLOR'],
      })
      .showSuggestionAfterError(true),
  )
  return program
}

/** `rotate`, or `recipients add`. */
function nameOf(command: Command): string {
  const { parent } = command
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name()
}

function forEachCommand(command: Command, visit: (command: Command) => unknown): void {
  visit(command)
  for (const child of command.commands) forEachCommand(child, visit)
}

/** Turns whatever was thrown into one line on stderr and an exit code. */
function report(error: unknown, { stderr, signal }: World, args: readonly string[]): number {
  if (signal.aborted) return exitCodes.interrupted
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done
    // Help that nobody asked for: a command line without a command. It is on stderr already.
    if (error.code === 'commander.help') return exitCodes.usage
  }
  const { code, message, exitCode } = describe(error)
  const asked = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  stderr.write(
    asked.includes('--json')
      ? `${JSON.stringify({ error: { code, message } })}\n`
      : `error: ${message} (${code})\n`,
  )
  return exitCode
}

function describe(error: unknown): { code: string; message: string; exitCode: number } {
  if (isA2aTotpError(error)) {
    return { code: error.code, message: oneLine(error.message), exitCode: exitCodeOf[error.code] }
  }
  if (error instanceof CommanderError) {
    return { code: 'ERR_USAGE', message: usageMessage(error), exitCode: exitCodes.usage }
  }
  // The text of an unknown error may hold anything, a seed included: only where it came from is told.
  const where =
    error instanceof Error ? (error.stack ?? '').split('\n').find((line) => /^\s+at /.test(line)) : undefined
  const name = error instanceof Error ? error.name : typeof error
  const message = `this is a bug in a2a-totp: ${name}${where ? ` ${where.trim()}` : ''}; please report it`
  return { code: 'ERR_INTERNAL', message, exitCode: exitCodes.bug }
}

/** commander's words without its prefix, its line breaks, and the value of an unknown `--option=value`. */
function usageMessage({ message }: CommanderError): string {
  const words = oneLine(message.replace(/^error: /, '')).replace(/(unknown option '--?[\w-]+)=[^']*'/, "$1'")
  return `${words.replace(/[.;]?$/, '')}; see a2a-totp --help`
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim()
}
