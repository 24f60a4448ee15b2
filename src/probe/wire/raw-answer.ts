/** One header line, as it goes out. The same name may come twice. */
export type FieldLine = readonly [name: string, value: string]

export interface HttpAnswer {
  readonly answered: true
  readonly status: number
  /** All values of a header, one a field line. */
  readonly header: (name: string) => readonly string[]
  readonly body: string
  /** Everything that came, to search for secrets. */
  readonly raw: string
  readonly receivedAt: Date
  readonly durationMs: number
  /** Names the TCP connection, to tell whether it was reused. */
  readonly localPort: number | undefined
}

export interface NoAnswer {
  readonly answered: false
  /** `unreachable`: nobody there; `tls`: no trusted connection; `timeout`, `broken`: no readable answer. */
  readonly reason: 'unreachable' | 'tls' | 'timeout' | 'broken'
  readonly explanation: string
  readonly durationMs: number
}

/** What came back for a request, before anything is made of it. */
export type RawAnswer = HttpAnswer | NoAnswer

const absent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])

/** What is said of requests that are not sent any more. */
export const tooSlow: Pick<NoAnswer, 'reason' | 'explanation'> = {
  reason: 'timeout',
  explanation: 'not sent: the agent took too long over the run as a whole',
}

/** Never the error's own message where the other side could have had a hand in it: its code says enough. */
export function explain(error: NodeJS.ErrnoException): Pick<NoAnswer, 'reason' | 'explanation'> {
  const code = error.code ?? error.name
  if (absent.has(code)) return { reason: 'unreachable', explanation: `no connection (${code})` }
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return { reason: 'tls', explanation: `no trusted TLS connection (${code})` }
  }
  if (/^HPE_|^ERR_HTTP2_ERROR$/.test(code))
    return { reason: 'broken', explanation: `the answer is no valid HTTP (${code})` }
  return { reason: 'broken', explanation: `the connection ended without an answer (${code})` }
}
