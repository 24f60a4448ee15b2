/** One header line as it is sent. The same name may occur twice. */
export type FieldLine = readonly [name: string, value: string]

export interface HttpAnswer {
  readonly answered: true
  readonly status: number
  /** All values of a header, one per field line. */
  readonly header: (name: string) => readonly string[]
  readonly body: string
  /** Everything received, to search for secrets. */
  readonly raw: string
  readonly receivedAt: Date
  readonly durationMs: number
  /** Identifies the TCP connection, to see whether it was reused. */
  readonly localPort: number | undefined
}

export interface NoAnswer {
  readonly answered: false
  /** `unreachable`: no connection; `tls`: no trusted connection; `timeout`, `broken`: no readable answer. */
  readonly reason: 'unreachable' | 'tls' | 'timeout' | 'broken'
  readonly explanation: string
  readonly durationMs: number
}

/** The answer to a request before it is read. */
export type RawAnswer = HttpAnswer | NoAnswer

const absent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])

/** The answer to requests that are no longer sent. */
export const tooSlow: Pick<NoAnswer, 'reason' | 'explanation'> = {
  reason: 'timeout',
  explanation: 'not sent: the agent took too long in this run',
}

/** Uses the code of an error, never its message, which the other side may have influenced. */
export function explain(error: NodeJS.ErrnoException): Pick<NoAnswer, 'reason' | 'explanation'> {
  const code = error.code ?? error.name
  if (absent.has(code)) return { reason: 'unreachable', explanation: `no connection (${code})` }
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return { reason: 'tls', explanation: `no trusted TLS connection (${code})` }
  }
  if (/^HPE_|^ERR_HTTP2_ERROR$/.test(code))
    return { reason: 'broken', explanation: `the answer is not valid HTTP (${code})` }
  return { reason: 'broken', explanation: `the connection ended without an answer (${code})` }
}
