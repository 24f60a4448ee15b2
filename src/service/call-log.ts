/** What a guard decided about a call, as far as a log shows it. */
export interface LoggedOutcome {
  readonly caller?: { readonly peer: string }
  readonly refusal?: {
    readonly peer?: string
    readonly reason: string
    readonly compromiseSuspected?: boolean
  }
}

/** One finished call. It holds no secret. */
export interface LoggedCall {
  /** Undefined when the call met no guard: the agent card is public. */
  readonly outcome: LoggedOutcome | undefined
  /** The HTTP method; gRPC has none. */
  readonly method?: string
  /** Without the query, where a caller may have put anything; short, and printable ASCII only. */
  readonly path: string
  /** An HTTP status code or the name of a gRPC status. */
  readonly status: string
  /** Whole milliseconds from the request's head to the end of the answer. */
  readonly durationMs: number
}

export type CallLog = (call: LoggedCall) => void

/** A call as one line of text: who or why not, what, and how it ended. */
export function formatCall({ outcome, method, path, status, durationMs }: LoggedCall): string {
  const what = method === undefined ? path : `${method} ${path}`
  return `${formatOutcome(outcome)} ${what} ${status} ${durationMs} ms`
}

function formatOutcome({ caller, refusal }: LoggedOutcome = {}): string {
  if (caller) return caller.peer
  if (!refusal) return 'anyone'
  const refused = `refused ${refusal.peer ? `${refusal.peer} ` : ''}(${refusal.reason})`
  return refusal.compromiseSuspected ? `${refused}, its token may be stolen: rotate it;` : refused
}

/** Whole milliseconds since it was made. */
export function stopwatch(): () => number {
  const begin = process.hrtime.bigint()
  return () => Number((process.hrtime.bigint() - begin) / 1_000_000n)
}
