import { printable } from '../../core/text.js'
import { parseShallowJson } from '../../core/shallow-json.js'
import { noAnswer, quoted, steadyText, timesIn, type Answer } from './answer.js'
import { jsonContent } from './content.js'
import { eventsOf } from './event-stream.js'
import { meaningOf } from './http-meaning.js'
import { isResult, protocolErrorOf, wordsOf } from './protocol-error.js'
import { isHtml, textOf } from './in-front.js'
import type { HttpAnswer, RawAnswer } from './raw-answer.js'
import { shortened } from './text.js'

/** Reads an HTTP answer. `taskId` is the random id in the request, if there was one. */
export function readHttpAnswer(answer: RawAnswer, taskId?: string): Answer {
  if (!answer.answered) return noAnswer(answer, taskId)
  const { status, header, receivedAt, durationMs, localPort } = answer
  const steady = (text: string): string => (taskId === undefined ? text : text.replaceAll(taskId, 'ID'))
  const type = header('content-type')[0] ?? ''
  const { text, event } = payloadOf(answer, type)
  const json = parseShallowJson(text)
  const error = protocolErrorOf(json)
  const said = steady(error?.message ?? (typeof json === 'object' ? wordsOf(json) : textOf(text)))
  const meaning = meaningOf({ status, header, type, text, event, json, error, said })
  const { by, offProtocol = false } = meaning
  const cookies = cookiesOf(header('set-cookie'))
  const words = error ? `${error.code} ${quoted(said)}`.trim() : bodyInWords(json, type, text)
  return {
    ...meaning,
    status,
    summary: `HTTP ${status}${by === undefined ? '' : ` from ${by}`}${words ? `, ${words}` : ''}`,
    signature: [status, ...(offProtocol ? ['page'] : [error?.code, ...(error?.reasons ?? [])])].join(' '),
    // Lazy, because a run compares a few answers of hundreds.
    get face() {
      return faceOf(status, header, steady(answer.body))
    },
    message: said,
    ...(!error && typeof json === 'object' && { content: jsonContent(json) }),
    challenges: header('www-authenticate'),
    acceptSignature: header('accept-signature'),
    ...(cookies.length > 0 && { cookies }),
    ...timesIn(answer),
    raw: steady(answer.raw),
    receivedAt,
    durationMs,
    connection: localPort,
    ...(answer.remarks && { remarks: answer.remarks }),
  }
}

/** A body, or the data of the first event that carries any where it is a stream of events. */
function payloadOf(
  { body }: HttpAnswer,
  type: string,
): Pick<Parameters<typeof meaningOf>[0], 'text' | 'event'> {
  if (!/^text\/event-stream/i.test(type)) return { text: body, event: undefined }
  const [first] = eventsOf(body)
  return { text: first?.data ?? '', event: first?.name ?? 'none' }
}

/** The most cookies to send back, and the longest: a server refuses a request that is too large. */
const mostCookies = 20
const longestCookie = 4096

/** Name and value of each cookie that is set (RFC 6265 §5.2), as far as a header line can carry it back. */
function cookiesOf(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.split(';')[0]?.trim() ?? '')
    .filter((pair) => /^[^=\s]+=[\x20-\x7e]+$/.test(pair) && pair.length <= longestCookie)
    .slice(0, mostCookies)
}

/** Header fields that are part of how a refusal looks; others change from one request to the next. */
const faceFields = ['content-type', 'www-authenticate', 'cache-control', 'retry-after']

function faceOf(status: number, header: (name: string) => readonly string[], body: string): string {
  const fields = faceFields.map((name) => `${name}: ${header(name).join(' | ')}`)
  return [status, ...fields, steadyText(body)].join('\n')
}

function bodyInWords(body: unknown, contentType: string, text: string): string {
  if (body === undefined && isHtml(contentType, text)) return 'an HTML page'
  if (body === undefined)
    return contentType === '' ? '' : `no JSON (${shortened(printable(contentType), 60)})`
  return isResult(body) ? 'a result' : 'JSON without an A2A error'
}
