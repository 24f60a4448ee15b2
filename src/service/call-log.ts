import { printable } from '../core/text.js'

/** The part of a guard's outcome that a log shows. */
export interface LoggedOutcome {
  readonly caller?: { readonly peer: string }
  readonly refusal?: {
    readonly peer?: string
    readonly reason: string
  }
}

/** One finished call. Contains no secret. */
export interface LoggedCall {
  /** Undefined when no guard saw the call, as for the public agent card. */
  readonly outcome: LoggedOutcome | undefined
  /** The HTTP method; gRPC has none. */
  readonly method?: string
  /** Shortened, in printable ASCII, without the query, which may contain secrets. */
  readonly path: string
  /** An HTTP status code or the name of a gRPC status. */
  readonly status: string
  /** Whole milliseconds from the request's head to the end of the answer. */
  readonly durationMs: number
}

/** Receives each finished call. */
export type CallLog = (call: LoggedCall) => void

/** Formats a call as one line of {@link printable} text: the caller or the reason of the refusal, the request, and its status. */
export function formatCall({ outcome, method, path, status, durationMs }: LoggedCall): string {
  const what = method === undefined ? path : `${method} ${path}`
  return printable(`${formatOutcome(outcome)} ${what} ${status} ${durationMs} ms`)
}

function formatOutcome({ caller, refusal }: LoggedOutcome = {}): string {
  if (caller) return caller.peer
  if (!refusal) return 'anyone'
  return `refused ${refusal.peer ? `${refusal.peer} ` : ''}(${refusal.reason})`
}

const longestPath = 100

/** The path of a target as a log shows it: without query, fragment, or the user name of an absolute form. */
export function shownPath(target: string): string {
  const [, bare = ''] = /^(?:[a-z][a-z\d+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(target) ?? []
  const path = bare.replace(/[^!-~]/g, '?')
  return path.length > longestPath ? `${path.slice(0, longestPath)}...` : path
}

/** Returns a function that returns the whole milliseconds since now. */
export function stopwatch(): () => number {
  const elapsed = exactStopwatch()
  return () => Math.floor(elapsed())
}

/** The same with fractions. */
export function exactStopwatch(): () => number {
  const begin = process.hrtime.bigint()
  return () => Number(process.hrtime.bigint() - begin) / 1e6
}
