import { parseHttpDate } from '../../core/instant.js'
import { printable } from '../../core/text.js'
import type { HttpAnswer, NoAnswer } from './raw-answer.js'
import { shortened } from './text.js'

/** What every answer tells, whichever binding it came by. */
interface Seen {
  /** In words, for a report; may quote the agent. */
  readonly summary: string
  /** What kind of protocol answer it is, without its words: two alike have the same. */
  readonly signature: string
  /** The answer as a caller sees it, without what changes from one request to the next. */
  readonly face: string
  /** What the agent said in words, without the id of the task asked for. */
  readonly message: string
  /** Values of WWW-Authenticate (or of gRPC's www-authenticate trailer). */
  readonly challenges: readonly string[]
  /** Seconds, where the agent said so. */
  readonly retryAfter?: number
  /** Everything received, to search for secrets. */
  readonly raw: string
  readonly receivedAt?: Date
  /** The agent's Date, when it is the agent's own and not a cache's. */
  readonly date?: Date
  readonly durationMs: number
  /** Set where no trusted TLS connection came about, so that nothing was sent. */
  readonly untrusted?: boolean
  /** Names the connection that it came by. */
  readonly connection?: number
}

/**
 * What an agent made of a request:
 * - `authenticated`: the specific TaskNotFound of the cell; `answered`: it served a result
 * - `refused`: 401, 403 or 407; `throttled`: 429
 * - `other`: a protocol answer that is none of those, to be compared with the agent's other answers
 * - `unserved`: there is no such binding, version or method here
 * - `failed`: 5xx; `redirected`: 3xx, which the probe does not follow
 * - `unreadable`: no answer, or one that is not of the protocol
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
    | 'redirected'
    | 'unreadable'
  /** HTTP status, or the one that a gRPC status stands for; null when no answer came. */
  readonly status: number | null
}

/** Whether anything came at all, readable or not. */
export const isAnswer = ({ status }: Answer): boolean => status !== null

/** Nothing readable came. */
export function noAnswer({ explanation, durationMs, reason }: Omit<NoAnswer, 'answered'>): Answer {
  return {
    kind: 'unreadable',
    status: null,
    untrusted: reason === 'tls',
    summary: explanation,
    signature: 'none',
    face: '',
    message: '',
    challenges: [],
    raw: '',
    durationMs,
  }
}

/**
 * What an answer says of time: its Date, unless a cache made it, and its Retry-After in seconds, which may be given as
 * a number or as a date (RFC 9110 §10.2.3). A date is counted from the answer's own, so that a wrong clock does not
 * matter.
 */
export function timesIn({ header, receivedAt }: HttpAnswer): Pick<Answer, 'date' | 'retryAfter'> {
  const date = parseHttpDate(header('date')[0] ?? '', receivedAt)
  const wait = header('retry-after')[0] ?? ''
  const until = parseHttpDate(wait, receivedAt)
  const retryAfter = /^\d+$/.test(wait)
    ? Number(wait)
    : until && Math.max(0, Math.ceil((until.getTime() - (date ?? receivedAt).getTime()) / 1000))
  return { date: header('age').length === 0 ? date : undefined, retryAfter }
}

/** Whether the words of an answer are about credentials. */
export function soundsLikeRefusal(said: string): boolean {
  return /unauth|authent|authoriz|forbidden|denied|credential|bearer|token|totp|otp\b|second factor/i.test(
    said,
  )
}

/** A text without the ids, times and counters that differ between two answers that are alike. */
export function steadyText(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, 'ID')
    .replace(/[0-9a-f]{16,}/gi, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, 'TIME')
    .replace(/\d{10,}/g, 'NUMBER')
}

/** What an agent said, as a report may quote it. */
export function quoted(said: string): string {
  return said === '' ? '' : `"${shortened(printable(said), 120)}"`
}
