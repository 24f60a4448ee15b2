import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { asciiOf } from '../core/ascii.js'
import { TOTPError, isTOTPError } from '../core/errors.js'
import { quoteName } from '../core/name.js'
import type { DefineCommand, GlobalOptions, Invocation } from './context.js'
import { asksForJson, errorLine, exitCodeOf, exitCodes, oneLine } from './errors.js'
import { suggestion } from './suggestions.js'
import { commandNames, flagsOf } from './commands-of.js'
import { fitted, helpLayout } from './help-layout.js'
import { speaksUnicode } from './io/locale.js'
import { widthOf } from './io/output.js'
import type { System } from './system.js'

/** A command by its name in the list: what the help of the program shows, and where the rest is. */
export interface CommandEntry {
  readonly description: string
  readonly aliases?: readonly string[]
  /** Not in any help text. */
  readonly hidden?: true
  readonly load: () => Promise<{ readonly define: DefineCommand }>
}

export type CommandList = Readonly<Record<string, CommandEntry>>

/** Runs one command line. Returns its exit code; never throws. */
export async function runCommandLine(
  commands: CommandList,
  args: readonly string[],
  system: System,
): Promise<number> {
  const program = new Program(commands, system, args)
  const exitCode = await program.run(args)
  const { aborted, reason } = system.signal as { aborted: boolean; reason: unknown }
  // With EPIPE the answer stands, although nothing reads it.
  if (!aborted || reason === 'EPIPE') return exitCode
  return reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted
}

class Program {
  readonly #commands: CommandList
  readonly #system: System
  readonly #json: boolean
  readonly #program: Command
  readonly #defined = new Set<Command>()
  /** The command whose action runs. */
  #running: Command
  #exitCode: number = exitCodes.done

  constructor(commands: CommandList, system: System, args: readonly string[]) {
    this.#commands = commands
    this.#system = system
    this.#json = asksForJson(args)
    this.#program = this.#running = describeProgram()
      // A command is loaded when it is the one that runs: loading them all would double the time of a start.
      .hook('preSubcommand', (_, command) => this.#define(command))
      .hook('preAction', (_, command) => {
        this.#running = command
      })
    const named = namedIn(commands, args)
    this.#configure(this.#program)
    if (named === undefined) this.#describeAll()
    else this.#describe(...named)
  }

  #describe(name: string, { description, aliases = [], hidden }: CommandEntry): void {
    this.#configure(
      this.#program
        .command(name, { hidden: hidden ?? false })
        .description(description)
        .aliases(aliases),
    )
  }

  /** In the order of the list. */
  #describeAll(): void {
    const names = Object.keys(this.#commands)
    const described = this.#program.commands as Command[]
    for (const [name, entry] of Object.entries(this.#commands))
      if (!described.some((one) => one.name() === name)) this.#describe(name, entry)
    described.sort((one, other) => names.indexOf(one.name()) - names.indexOf(other.name()))
  }

  async run(args: readonly string[]): Promise<number> {
    const { stderr, signal } = this.#system
    try {
      await this.#program.parseAsync(args, { from: 'user' })
      return this.#exitCode
    } catch (error) {
      if (signal.aborted) return signal.reason === 'EPIPE' ? this.#exitCode : exitCodes.interrupted
      // Its help or its version was requested, and is on stdout.
      if (error instanceof CommanderError) return exitCodes.done
      stderr.write(this.#ours(errorLine(isTOTPError(error) ? error : bug(error), this.#json)))
      return isTOTPError(error) ? exitCodeOf[error.code] : exitCodes.bug
    }
  }

  /** Our own text, in the characters that the locale has. */
  #ours(text: string): string {
    return this.#json || speaksUnicode(this.#system.env) ? text : asciiOf(text)
  }

  async #define(command: Command): Promise<void> {
    if (this.#defined.has(command)) return
    this.#defined.add(command)
    const { define } = (await this.#commands[command.name()]?.load()) ?? {}
    define?.(command, this.#invocation())
    this.#configure(command)
  }

  #invocation(): Invocation {
    const options = this.#program.opts<GlobalOptions>()
    // A script with an unset variable must not change some other store.
    if (options.store === '')
      throw new TOTPError('ERR_USAGE', '--store needs a path; omit it to search for the store')
    return {
      system: this.#system,
      options,
      commandName: () => nameOf(this.#running),
      setExitCode: (code) => (this.#exitCode = code),
      wholeProgram: async () => {
        this.#describeAll()
        for (const command of this.#program.commands) await this.#define(command)
        return this.#program
      },
    }
  }

  /** commander passes none of this on to a command that was added as an object. */
  #configure(command: Command): void {
    const { stdout, stderr } = this.#system
    command
      .exitOverride((error) => {
        throw error.exitCode === 0 ? error : usageError(error, command)
      })
      .configureOutput({
        writeOut: (text) => stdout.write(fitted(this.#ours(text), widthOf(stdout))),
        // The help that commander prints for a command line without a command.
        writeErr: (text) => !this.#json && stderr.write(fitted(this.#ours(text), widthOf(stderr))),
        getOutHelpWidth: () => widthOf(stdout) ?? 80,
        getErrHelpWidth: () => widthOf(stderr) ?? 80,
        // Printed once, on one line, by `run`.
        outputError: () => undefined,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
    for (const child of command.commands) this.#configure(child)
  }
}

/**
 * The command that a command line names, where that is certain: the others need no description then, which would take a
 * tenth of the start of Node.
 */
function namedIn(
  commands: CommandList,
  args: readonly string[],
): readonly [string, CommandEntry] | undefined {
  const word = args.findIndex((arg, at) => !arg.startsWith('-') && args[at - 1] !== '--store')
  // Before a command, help is that of the program.
  if (args.slice(0, word).some((arg) => arg === '-h' || arg === '--help')) return undefined
  return Object.entries(commands).find(([name, { aliases = [] }]) =>
    [name, ...aliases].includes(args[word] ?? ''),
  )
}

function describeProgram(): Command {
  return (
    new Command('a2a-totp')
      .description('A second factor for A2A agents: bearer token plus a TOTP code on every request.')
      .version(packageJson.version, '-v, --version', 'print the version')
      .helpOption('-h, --help', 'show help')
      .option('--store <path>', 'the store (default: $A2A_TOTP_STORE, else the nearest a2a-totp.json upward)')
      .option('--json', 'print one JSON document on stdout')
      .option('-q, --quiet', 'print no remarks on stderr, only errors')
      .option('--no-color', 'no colours, spinners or countdowns')
      .option('--allow-insecure-permissions', 'use a store that others can read')
      .addHelpText(
        'after',
        `
Getting started:
  $ a2a-totp init --agent billing
  $ a2a-totp add-peer alice
  $ a2a-totp config server --out billing.json          # what the agent needs; secret
  $ a2a-totp config client alice --out alice.env       # what alice needs; secret
  $ a2a-totp probe https://billing.example alice

Day two: list, set, rotate, undo, log, doctor. Background: a2a-totp help rotation, help encryption, help exit-codes …
Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 a store, file or configuration cannot be used,
4 the agent cannot be reached, 70 a bug, 130 / 143 interrupted.`,
      )
      .helpCommand(false)
      .configureHelp(helpLayout)
      // Ours are in the words of all other messages.
      .showSuggestionAfterError(false)
  )
}

/** `rotate`, or `recipients add`; empty for the program itself. */
function nameOf(command: Command): string {
  const { parent } = command
  return parent ? `${nameOf(parent)} ${command.name()}`.trimStart() : ''
}

/** The message of an unknown error may contain anything, even a seed: only its origin is printed. */
function bug(error: unknown): { code: string; message: string } {
  const where =
    error instanceof Error ? (error.stack ?? '').split('\n').find((line) => /^\s+at /.test(line)) : undefined
  const name = error instanceof Error ? error.name : typeof error
  const message = `this is a bug in a2a-totp: ${name}${where ? ` ${where.trim()}` : ''}; please report it`
  return { code: 'ERR_INTERNAL', message }
}

/** commander's message without its prefix, its line breaks, and what could be a secret in the wrong place. */
function usageError({ code, message }: CommanderError, command: Command): TOTPError {
  const help = ['a2a-totp', nameOf(command), '--help'].filter(Boolean).join(' ')
  const words =
    code === 'commander.help'
      ? 'no command given'
      : oneLine(message.replace(/^error: /, '')).replace(
          /unknown (command|option) '(.*?)'/,
          (_, what: string, given: string) => unknownWord(what, given, command),
        )
  const remedy =
    code === 'commander.unknownOption' && command.name() === 'exec' ? '; options of COMMAND follow --' : ''
  return new TOTPError('ERR_USAGE', `${words.replace(/[.;]?$/, '')}${remedy}; see ${help}`)
}

function unknownWord(what: string, given: string, command: Command): string {
  if (what === 'command') return asked(`unknown command ${quoteName(given)}`, given, commandNames(command))
  const flag = given.replace(/=.*/, '')
  const flags = flagsOf(command)
  // It is known; what it was given is not.
  if (flag !== given && flags.includes(flag)) return `option '${flag}' takes no value`
  return asked(`unknown option ${quoteName(flag)}`, flag, flags)
}

function asked(text: string, given: string, words: readonly string[]): string {
  const question = suggestion([given], words)
  return question === undefined ? text : `${text} (${question})`
}
