import { parseHttpDate } from '../../core/instant.js'
import { asList, asObject, asText, parseJson } from '../../core/json.js'
import { printable } from '../../core/text.js'
import type { HttpAnswer, HttpOutcome, NoAnswer } from './outcome.js'
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

/** The A2A error in a body, wherever the binding puts it. */
interface ProtocolError {
  readonly code: string
  readonly message: string
  readonly reasons: readonly string[]
}

/** Sorts an HTTP answer. `taskId` is the random id that was asked for. */
export function readHttpAnswer(outcome: HttpOutcome, taskId: string): Answer {
  if (!outcome.answered) return noAnswer(outcome)
  const { status, header } = outcome
  const body = parseJson(payloadOf(outcome.body))
  const error = protocolErrorOf(body)
  const said = (error?.message ?? wordsOf(body)).replaceAll(taskId, 'ID')
  const words = error ? `${error.code} ${quoted(said)}`.trim() : bodyInWords(body, header('content-type')[0])
  return {
    kind: kindOf(status, body, error, said, header('content-type')[0]),
    status,
    summary: `HTTP ${status}${words ? `, ${words}` : ''}`,
    signature: [status, error?.code, ...(error?.reasons ?? [])].join(' '),
    // A run compares a few answers of hundreds.
    get face() {
      return faceOf(status, header, outcome.body.replaceAll(taskId, 'ID'))
    },
    message: said,
    challenges: header('www-authenticate'),
    ...timesIn(outcome),
    raw: outcome.raw.replaceAll(taskId, 'ID'),
    receivedAt: outcome.receivedAt,
    durationMs: outcome.durationMs,
    ...(outcome.localPort === undefined ? {} : { connection: outcome.localPort }),
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
  return {
    ...(date && header('age').length === 0 ? { date } : {}),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
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

function kindOf(
  status: number,
  body: unknown,
  error: ProtocolError | undefined,
  said: string,
  contentType = '',
): Answer['kind'] {
  if (status === 429) return 'throttled'
  if (status === 401 || status === 403 || status === 407) return 'refused'
  if (status >= 500) return 'failed'
  if (status >= 300 && status < 400) return 'redirected'
  if (error) return kindOfError(status, error, said)
  // a2a-sdk 0.3 for Python answers so in REST, without a code. Frameworks say "Not Found" alone.
  if (status === 404 && /^task not found\b/i.test(said)) return 'authenticated'
  if (status === 404 || status === 405) return 'unserved'
  if (status >= 200 && status < 300 && /^text\/event-stream/i.test(contentType)) return 'answered'
  if (typeof body === 'object' && body !== null) return isResult(body) ? 'answered' : 'other'
  // A page for people, to log in say: no answer of the protocol, but one to compare.
  return status === 200 && /^text\/html/i.test(contentType) ? 'other' : 'unreadable'
}

/** JSON-RPC's unknown method, A2A's VersionNotSupported, and what stands for the latter in REST. */
const unservedCodes = new Set(['-32601', '-32009', 'FAILED_PRECONDITION', 'UNIMPLEMENTED'])

function kindOfError(status: number, { code, reasons }: ProtocolError, said: string): Answer['kind'] {
  if (reasons.includes('TASK_NOT_FOUND')) return 'authenticated'
  // Agents also use -32001 for "unauthorized", so the code alone proves nothing.
  if (code === '-32001' || (code === 'NOT_FOUND' && status === 404 && /task/i.test(said))) {
    return soundsLikeRefusal(said) ? 'other' : 'authenticated'
  }
  if (unservedCodes.has(code) || reasons.includes('VERSION_NOT_SUPPORTED')) return 'unserved'
  // A web framework's own 404 names its error in words; A2A has numbers and canonical names.
  const ofFramework = (status === 404 || status === 405) && !/^(-?\d+|[A-Z_]+)$/.test(code)
  return ofFramework ? 'unserved' : 'other'
}

/** Whether the words of an answer are about credentials. */
export function soundsLikeRefusal(said: string): boolean {
  return /unauth|authent|authoriz|forbidden|denied|credential|bearer|token|totp|otp\b|second factor/i.test(
    said,
  )
}

/**
 * Finds the error in `{error: {code, message, data}}` (JSON-RPC), `{error: {code, status, message, details}}` (A2A
 * 1.0 REST), `{code, message}` (0.3 REST), RFC 9457 problem details, and `{error: 'word'}` (RFC 6749 §5.2).
 */
function protocolErrorOf(body: unknown): ProtocolError | undefined {
  const outer = asObject(body)
  const named = asText(outer['error'])
  if (named !== '') {
    return { code: named, message: [named, asText(outer['error_description'])].join(' ').trim(), reasons: [] }
  }
  const inner =
    typeof outer['error'] === 'object' && outer['error'] !== null ? asObject(outer['error']) : outer
  const problem = asText(outer['type']).split('/').at(-1) ?? ''
  const code = asText(inner['status']) || (typeof inner['code'] === 'number' ? String(inner['code']) : '')
  if (code === '' && !problem.endsWith('task-not-found')) return undefined
  const details = [...asList(inner['details']), ...asList(inner['data'])]
  const reasons = details
    .map((detail) => asText(asObject(detail)['reason']))
    .filter((reason) => reason !== '')
  if (problem.endsWith('task-not-found')) reasons.push('TASK_NOT_FOUND')
  return { code, message: asText(inner['message']), reasons }
}

/** Whether a body is what a call is made for: a JSON-RPC result, a task or a message, which 0.3 calls `msg`. */
function isResult(body: unknown): boolean {
  const object = asObject(body)
  const holds = ['task', 'msg', 'message'].some((key) => Object.keys(asObject(object[key])).length > 0)
  return holds || 'result' in object || 'state' in asObject(object['status'])
}

/** What an answer that is no A2A error says all the same, in the fields that frameworks use. */
function wordsOf(body: unknown): string {
  const { message, msg, detail } = asObject(body)
  return [message, msg, detail].map(asText).join(' ').trim()
}

/** A body, or the data of the first event where it is a stream of them. */
function payloadOf(body: string): string {
  return /^data:(.*)$/m.exec(body)?.[1] ?? body
}

/** Header fields that are part of how a refusal looks; others change from one request to the next. */
const faceFields = ['content-type', 'www-authenticate', 'cache-control', 'retry-after']

function faceOf(status: number, header: (name: string) => readonly string[], body: string): string {
  const fields = faceFields.map((name) => `${name}: ${header(name).join(' | ')}`)
  return [status, ...fields, steadyText(body)].join('\n')
}

/** A text without the ids, times and counters that differ between two answers that are alike. */
export function steadyText(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, 'ID')
    .replace(/[0-9a-f]{16,}/gi, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, 'TIME')
    .replace(/\d{10,}/g, 'NUMBER')
}

function quoted(said: string): string {
  return said === '' ? '' : `"${shortened(printable(said), 120)}"`
}

function bodyInWords(body: unknown, contentType = ''): string {
  if (body === undefined)
    return contentType === '' ? '' : `no JSON (${shortened(printable(contentType), 60)})`
  return isResult(body) ? 'a result' : 'JSON without an A2A error'
}
