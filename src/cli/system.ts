import type { Readable } from 'node:stream'
import type { Env } from '../programs/environment.js'
import type { CliStream } from './io/output.js'

/** What a run of the CLI touches: the process that it runs in, or a test's stand-in for one. */
export interface System {
  readonly env: Env
  /** @throws {TOTPError} `ERR_FILE_UNREADABLE` if it was deleted */
  readonly cwd: string
  /** A function, because reading `process.stdin` opens it, which slows every command down. */
  readonly stdin: () => Readable & { readonly isTTY?: boolean }
  readonly stdout: CliStream
  readonly stderr: CliStream
  /** Aborted by a signal, which is its reason, or with the reason `EPIPE` when nothing reads standard output any more. */
  readonly signal: AbortSignal
  readonly now?: () => Date
  /** Aborts `signal` with `EPIPE` as soon as nothing reads standard output; returns what ends that. */
  readonly watchReader?: () => () => void
  /** Hands the signals that would interrupt or end this process to a receiver, from now on. */
  readonly onSignal?: (receiver: (signal: NodeJS.Signals) => void) => void
  /** Calls a receiver on SIGHUP, which otherwise ends this process; returns what ends that. */
  readonly onHangUp?: (receiver: () => void) => () => void
  /** Called when a question is put to the user, and when it is over. */
  readonly onQuestion?: (open: boolean) => void
}
