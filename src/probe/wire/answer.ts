import { sentBy } from '../../core/clock-difference.js'
import { parseHttpDate } from '../../core/instant.js'
import { printable } from '../../core/text.js'
import type { HttpAnswer, NoAnswer, Unread } from './raw-answer.js'
import type { Content } from './content.js'
import { shortened } from './text.js'

/** What every answer has, whatever its binding. */
interface Seen {
  /** In words, for a report; may quote the agent. */
  readonly summary: string
  /** The kind of protocol answer, without its message: equal for answers of the same kind. */
  readonly signature: string
  /** The answer as a caller sees it, without what changes from one request to the next. */
  readonly face: string
  /** The agent's message, without the id of the requested task. */
  readonly message: string
  /** Values of WWW-Authenticate (or of gRPC's www-authenticate trailer). */
  readonly challenges: readonly string[]
  /** Values of Accept-Signature (RFC 9421 §5.1), or of that trailer. */
  readonly acceptSignature?: readonly string[]
  /** The cookies that it sets, as a browser sends them back: `name=value`. */
  readonly cookies?: readonly string[]
  /** Retry-After in seconds, if the answer has one. */
  readonly retryAfter?: number
  /** Everything received, to search for secrets. */
  readonly raw: string
  readonly receivedAt?: Date
  /** When it was sent, by its Date and Age. */
  readonly date?: Date
  readonly durationMs: number
  /** What it holds, if it is a result. */
  readonly content?: Content
  /** Set if there was no trusted TLS connection, so nothing was sent. */
  readonly untrusted?: boolean
  /** What to do where there is no answer, if that is known. */
  readonly hint?: string
  /** What is unusual about how it was sent, though it could be read. */
  readonly remarks?: readonly string[]
  /** Identifies the connection of the answer. */
  readonly connection?: number
  /** Set if the other side ended the connection without an answer. */
  readonly closed?: boolean
  /** Set if something was answered and could not be read, with its status where that is known. */
  readonly unread?: Pick<Unread, 'status'>
  /** Set if it is no answer of the protocol, whatever its status: a page, plain text, nothing, or JSON of another kind. */
  readonly offProtocol?: boolean
  /** Set if the binding, version or method cannot be served here: HTML 404, VersionNotSupported, UNIMPLEMENTED. */
  readonly wrongCell?: boolean
  /** Set if a server error holds the specific TaskNotFound of the cell. */
  readonly taskMissing?: boolean
}

/**
 * How an agent answered a request:
 * - `authenticated`: the specific TaskNotFound of the cell; `answered`: it served a result
 * - `refused`: 401 or 403; `throttled`: 429, or the 503 of a limiter
 * - `other`: any other protocol answer, to compare with the agent's other answers
 * - `unserved`: there is no such binding, version or method here
 * - `failed`: 5xx of the agent itself; `redirected`: 3xx, which the probe does not follow
 * - `foreign`: the answer of something in front and not of the agent: a gateway's 502, a firewall's page, a proxy's 407
 * - `unreadable`: no answer, or not one of the protocol
 */
export type Answer = Seen & {
  readonly kind:
    | 'authenticated'
    | 'answered'
    | 'refused'
    | 'throttled'
    | 'other'
    | 'unserved'
    | 'failed'
    | 'foreign'
    | 'redirected'
    | 'unreadable'
  /** Who answered instead of the agent, where that shows: "nginx", "a rate limiter". */
  readonly by?: string
  /** The HTTP status, or the one that corresponds to a gRPC status; null without an answer. */
  readonly status: number | null
}

/** Whether there was an answer at all, readable or not. */
export const isAnswer = ({ status }: Answer): boolean => status !== null

/** The answer where there was none that can be read. A server error shows by its status alone. */
export function noAnswer(
  { explanation, hint, durationMs, reason, unread }: Omit<NoAnswer, 'answered'>,
  taskId?: string,
): Answer {
  const { status, raw = '', receivedAt } = unread ?? {}
  const failed = status !== undefined && status >= 500 && !ofGateways.has(status) ? status : undefined
  return {
    kind: failed === undefined ? 'unreadable' : 'failed',
    status: failed ?? null,
    untrusted: reason === 'tls',
    closed: reason === 'broken' && unread === undefined,
    ...(unread && { unread: status === undefined ? {} : { status } }),
    ...(hint !== undefined && { hint }),
    summary: status === undefined ? explanation : `HTTP ${status}: ${explanation}`,
    signature: failed === undefined ? 'none' : `${failed} page`,
    face: '',
    message: '',
    challenges: [],
    raw: taskId === undefined ? raw : raw.replaceAll(taskId, 'ID'),
    ...(receivedAt && { receivedAt }),
    durationMs,
  }
}

/** What stands in front says so too, of an agent that it did not reach or that it spares. */
const ofGateways: ReadonlySet<number> = new Set([502, 503, 504])

/**
 * The times in an answer: when it was sent by the clock of who sent it, which for an answer from a cache is its Date and
 * its Age, and its Retry-After in seconds, which may be a number or a date (RFC 9110 §10.2.3). A date is counted from
 * the answer's own time, so a wrong clock does not matter.
 */
export function timesIn({ header, receivedAt }: HttpAnswer): Pick<Answer, 'date' | 'retryAfter'> {
  const date = sentBy({ date: header('date')[0], age: header('age')[0], receivedAt })
  const wait = header('retry-after')[0] ?? ''
  const until = parseHttpDate(wait, receivedAt)
  const retryAfter = /^\d+$/.test(wait)
    ? Number(wait)
    : until && Math.max(0, Math.ceil((until.getTime() - (date ?? receivedAt).getTime()) / 1000))
  return { date, retryAfter }
}

/** A text without the ids, times and counters in which two equal answers differ. */
export function steadyText(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, 'ID')
    .replace(/[0-9a-f]{16,}/gi, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, 'TIME')
    .replace(/\d{10,}/g, 'NUMBER')
}

/** The agent's message as a report may quote it. */
export function quoted(said: string): string {
  return said === '' ? '' : `"${shortened(printable(said), 120)}"`
}

/** Whether an answer is that of a limiter, or of a gateway that could not reach the agent. */
export function isThrottling({ kind, status }: Answer): boolean {
  return isLimiting({ kind, status }) || status === 502 || status === 504
}

/** Whether an answer is that of a limiter: some say 503. */
export function isLimiting({ kind, status }: Pick<Answer, 'kind' | 'status'>): boolean {
  return kind === 'throttled' || status === 503
}
