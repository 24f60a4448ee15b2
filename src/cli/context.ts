import type { Roster } from '../core/roster.js'
import type { RandomBytes } from '../core/random.js'
import type { Protection } from '../store/protection.js'
import type { Opened } from '../store/store.js'
import type { Busy } from './io/busy.js'
import type { Output } from './io/output.js'
import type { AskHidden } from './store/store-keys.js'

export type Env = Readonly<Record<string, string | undefined>>

/** The store that the command line, the environment or the working directory points to. */
export interface StoreAccess {
  /** Where the store is, or where a new one would be made. */
  path(): string
  /** Whether there is one, and it is trusted. */
  exists(): boolean
  /** Whether something is at its path, trusted or not. */
  taken(): boolean
  /** Where the nearest one is, trusted or not: for `doctor`. */
  nearest(): string
  /** The same for the store of the working directory, whatever lies above it, unless another was named: for `init`. */
  here(): StoreAccess
  /** @throws {TOTPError} `ERR_STORE_*` when it is missing, not trusted or cannot be used. */
  read(): Promise<Roster>
  /** The same, with how it is protected. */
  open(): Promise<Opened>
  /** Opens any store, whoever else may read it: for `doctor`. */
  examine(path: string): Promise<Opened>
  /** Makes a new one. With `replace` an old one is kept beside it, and where is returned. */
  create(roster: Roster, options: { replace: boolean; protection: Protection }): Promise<string | undefined>
  /** Changes it, whole or not at all, one process at a time. */
  update(change: (roster: Roster) => Roster): Promise<Roster>
  /** Changes how it is protected, in the same way. */
  protect(change: (protection: Protection) => Protection): Promise<Protection>
}

/** The world as a command sees it. A test hands in another one. */
export interface CliContext {
  readonly env: Env
  readonly cwd: string
  readonly now: () => Date
  readonly random: RandomBytes
  readonly output: Output
  readonly store: StoreAccess
  /** Work that takes more than about 300 ms is done under it. */
  readonly busy: Busy
  /** Aborted by SIGINT and SIGTERM: a command that takes its time then ends, and prints no result. */
  readonly signal: AbortSignal
  /** All of standard input. It throws when {@link CliContext.signal} is aborted before the end. */
  readonly readStdin: () => Promise<Buffer>
  /**
   * Asks a person at a terminal.
   *
   * @throws {TOTPError} `ERR_CONFIRMATION_NEEDED` where nobody can be asked, and for Ctrl-D, which is no answer; it
   * names the option to give.
   */
  readonly confirm: (question: string, option: string) => Promise<boolean>
  /** Asks for a secret without showing what is typed. */
  readonly askHidden: AskHidden
  /** Waits; returns early when {@link CliContext.signal} is aborted. */
  readonly sleep: (ms: number) => Promise<void>
  /**
   * Waits for work that knows nothing of {@link CliContext.signal}, and changes nothing here: a conversation with a
   * server. Throws when interrupted, and leaves it to itself.
   */
  readonly unlessInterrupted: <T>(work: Promise<T>) => Promise<T>
  /** The exit code of a command that did its work and whose answer is no. */
  readonly setExitCode: (code: number) => void
}
