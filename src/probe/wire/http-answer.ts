import { parseJson } from '../../core/json.js'
import { printable } from '../../core/text.js'
import { noAnswer, quoted, soundsLikeRefusal, steadyText, timesIn, type Answer } from './answer.js'
import { isResult, protocolErrorOf, wordsOf, type ProtocolError } from './protocol-error.js'
import type { RawAnswer } from './raw-answer.js'
import { shortened } from './text.js'

/** Reads an HTTP answer. `taskId` is the random id in the request, if there was one. */
export function readHttpAnswer(answer: RawAnswer, taskId?: string): Answer {
  if (!answer.answered) return noAnswer(answer)
  const { status, header, receivedAt, durationMs, localPort } = answer
  const steady = (text: string): string => (taskId === undefined ? text : text.replaceAll(taskId, 'ID'))
  const type = header('content-type')[0]
  const body = parseJson(payloadOf(answer.body))
  const error = protocolErrorOf(body)
  const said = steady(error?.message ?? wordsOf(body))
  const words = error ? `${error.code} ${quoted(said)}`.trim() : bodyInWords(body, type)
  return {
    kind: kindOf(status, body, error, said, type),
    status,
    summary: `HTTP ${status}${words ? `, ${words}` : ''}`,
    signature: [status, error?.code, ...(error?.reasons ?? [])].join(' '),
    // Lazy, because a run compares a few answers of hundreds.
    get face() {
      return faceOf(status, header, steady(answer.body))
    },
    message: said,
    challenges: header('www-authenticate'),
    ...timesIn(answer),
    raw: steady(answer.raw),
    receivedAt,
    durationMs,
    connection: localPort,
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
  // a2a-sdk 0.3 for Python answers so in REST, without a code. Frameworks answer "Not Found" alone.
  if (status === 404 && /^task not found\b/i.test(said)) return 'authenticated'
  if (status === 404 || status === 405) return 'unserved'
  if (status >= 200 && status < 300 && /^text\/event-stream/i.test(contentType)) return 'answered'
  if (typeof body === 'object' && body !== null) return isResult(body) ? 'answered' : 'other'
  // A page for people, such as a login page, is not an answer of the protocol, but can be compared.
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

function bodyInWords(body: unknown, contentType = ''): string {
  if (body === undefined)
    return contentType === '' ? '' : `no JSON (${shortened(printable(contentType), 60)})`
  return isResult(body) ? 'a result' : 'JSON without an A2A error'
}
