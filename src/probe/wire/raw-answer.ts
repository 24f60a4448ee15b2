/** One header line as it is sent. The same name may occur twice. */
export type FieldLine = readonly [name: string, value: string]

export interface HttpAnswer {
  readonly answered: true
  readonly status: number
  /** All values of a header, one per field line. */
  readonly header: (name: string) => readonly string[]
  /** Decompressed, and without a byte order mark. */
  readonly body: string
  /** The body as it came, where it is no text. */
  readonly bytes?: Buffer
  /** Set if the call was still open when it had been waited for long enough. */
  readonly isOpen?: boolean
  /** Everything received, to search for secrets. */
  readonly raw: string
  readonly receivedAt: Date
  readonly durationMs: number
  /** Identifies the TCP connection, to see whether it was reused. */
  readonly localPort: number | undefined
  /** What is unusual about how the body was sent, though it could be read. */
  readonly remarks?: readonly string[]
}

export interface NoAnswer {
  readonly answered: false
  /** `unreachable`: no connection; `tls`: no trusted connection; `timeout`, `broken`: no readable answer. */
  readonly reason: 'unreachable' | 'tls' | 'timeout' | 'broken'
  readonly explanation: string
  /** Set if an HTTP answer had begun, whatever became of it. */
  readonly begun?: boolean
  /** What to do about it, where that is known. */
  readonly hint?: string
  readonly durationMs: number
  /** Set if something was answered, and could not be read. */
  readonly unread?: Unread
}

/** What was received of an answer that could not be read: it is too long, or not in a coding that is known. */
export interface Unread {
  readonly status?: number
  /** To search for secrets. */
  readonly raw?: string
  readonly receivedAt?: Date
}

/** Whether there was an HTTP answer that could not be read, to the end at least. One that never ends is none. */
export const isUnread = ({ reason, begun }: NoAnswer): boolean => reason === 'broken' && begun === true

/** The answer to a request before it is read. */
export type RawAnswer = HttpAnswer | NoAnswer

/** Why there is no answer. It never quotes the other side. */
export interface Trouble extends Pick<NoAnswer, 'reason' | 'explanation' | 'hint' | 'unread'> {
  /** Set if the other side closed the connection, and said nothing. */
  readonly closed?: boolean
}

/** The answer to requests that are no longer sent. */
export const tooSlow: Trouble = {
  reason: 'timeout',
  explanation: 'not sent: too many requests of this run got no answer in time',
}
