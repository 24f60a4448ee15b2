import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { RandomBytes } from '../core/random.js'
import type { Env } from '../programs/environment.js'
import { sleep, unlessInterrupted } from './interruption.js'
import { createOutput, type Output, type OutputOptions } from './io/output.js'
import { createProgress, type Progress } from './io/progress.js'
import { createQuestions, type Questions } from './io/questions.js'
import { readAll } from './io/stdio.js'
import { StoreAccess, type StoreOptions } from './store/store-access.js'
import { storeKeys } from './store/store-keys.js'
import type { System } from './system.js'

/** What a command works with. A test passes another one. */
export interface CliContext extends Questions {
  readonly env: Env
  /** @throws {TOTPError} `ERR_FILE_UNREADABLE` if it was deleted */
  readonly cwd: string
  readonly now: () => Date
  readonly random: RandomBytes
  readonly output: Output
  readonly store: StoreAccess
  /** For work that takes more than about 300 ms. */
  readonly progress: Progress
  /** Aborted by SIGINT and SIGTERM: a long-running command then ends and prints no result. */
  readonly signal: AbortSignal
  /** Reads standard input to its end, or until it is longer than `most` bytes. Throws when {@link CliContext.signal} is aborted before that. */
  readonly readStdin: (most?: number) => Promise<Buffer>
  /** Aborts {@link CliContext.signal} once nothing reads standard output any more, until what it returns is called. */
  readonly watchReader: () => () => void
  /** Calls a receiver on SIGHUP, which otherwise ends the process, until what it returns is called. */
  readonly onHangUp: (receiver: () => void) => () => void
  /** Waits; returns early when {@link CliContext.signal} is aborted. */
  readonly sleep: (ms: number) => Promise<void>
  /**
   * Waits for work that does not observe {@link CliContext.signal} and changes nothing locally, such as a request to a
   * server. Throws when interrupted, and abandons the work.
   */
  readonly unlessInterrupted: <T>(work: Promise<T>) => Promise<T>
  /** Sets the exit code of a command that succeeded with a negative answer. */
  readonly setExitCode: (code: number) => void
  /** The whole program with every command defined, for `help` and `completion`. */
  readonly wholeProgram: () => Promise<Command>
}

/** The options that every command takes. */
export type GlobalOptions = OutputOptions & StoreOptions

/** A run of a command, as the program starts it. */
export interface Invocation {
  readonly system: System
  readonly options: GlobalOptions
  /** The command that runs, as `recipients add`, for the record of changes. */
  readonly commandName: () => string
  readonly setExitCode: CliContext['setExitCode']
  readonly wholeProgram: CliContext['wholeProgram']
}

/** Adds to a command what the list in `main.ts` does not say: arguments, options, help and action. */
export type DefineCommand = (command: Command, invocation: Invocation) => void

/** Defines a command that works with a context. */
export const inContext =
  (define: (command: Command, context: CliContext) => Command): DefineCommand =>
  (command, invocation) => {
    define(command, createContext(invocation))
  }

function createContext({ system, options, commandName, setExitCode, wholeProgram }: Invocation): CliContext {
  const { env, signal, now = () => new Date() } = system
  const output = createOutput(system.stdout, system.stderr, env, options)
  const progress = createProgress(output)
  const questions = createQuestions(system, output, progress)
  const keys = storeKeys(env, system, questions.askHidden)
  return {
    ...questions,
    env,
    get cwd() {
      return system.cwd
    },
    now,
    random: randomBytes,
    output,
    store: new StoreAccess({ env, where: system, options, commandName, now, keys, output, progress }),
    progress,
    signal,
    readStdin: (most) => readAll(system.stdin(), signal, most),
    watchReader: system.watchReader ?? (() => () => undefined),
    onHangUp: system.onHangUp ?? (() => () => undefined),
    sleep: (ms) => sleep(ms, signal),
    unlessInterrupted: (work) => unlessInterrupted(work, signal),
    setExitCode,
    wholeProgram,
  }
}
