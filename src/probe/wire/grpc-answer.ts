import { noAnswer, quoted, steadyText, timesIn, type Answer } from './answer.js'
import { bytesFields, protoContent } from './content.js'
import { readHttpAnswer } from './http-answer.js'
import { isHtml, serverOf, writerOf } from './in-front.js'
import type { HttpAnswer, RawAnswer } from './raw-answer.js'
import { soundsLikeRefusal } from './words.js'

/** The status codes of gRPC by number, each with the HTTP status that stands for it (google.rpc.Code). */
const statuses: readonly (readonly [name: string, http: number])[] = [
  ['OK', 200],
  ['CANCELLED', 499],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 504],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 400],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 400],
  ['UNIMPLEMENTED', 501],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
  ['UNAUTHENTICATED', 401],
]

/** The reasons of google.rpc.ErrorInfo that matter here. */
const reasonsKnown = [
  'TASK_NOT_FOUND',
  'VERSION_NOT_SUPPORTED',
  'UNSUPPORTED_OPERATION',
  'PUSH_NOTIFICATION_NOT_SUPPORTED',
  'EXTENDED_AGENT_CARD_NOT_CONFIGURED',
]

/** Header fields that are part of how a refusal looks. */
const faceFields = ['www-authenticate', 'retry-after']

/**
 * Reads the answer to a gRPC call. What has no gRPC status comes from a server that speaks HTTP alone, or from something
 * in front, and is read as an HTTP answer.
 */
export function readGrpcAnswer(answer: RawAnswer, taskId: string): Answer {
  if (!answer.answered) return noAnswer(answer, taskId)
  const { header, durationMs, receivedAt, localPort } = answer
  const code = header('grpc-status').at(-1)
  const type = header('content-type')[0] ?? ''
  if (code === undefined && (answer.status !== 200 || isHtml(type, answer.body))) {
    return readWithoutStatus(answer, taskId)
  }
  if (code === undefined && !(type.startsWith('application/grpc') && isServed(answer)))
    return withoutStatus(answer)
  // A stream that was opened and stays open has no status yet.
  const known = code === undefined ? undefined : statuses[/^\d{1,2}$/.test(code) ? Number(code) : -1]
  const [name, status] =
    code === undefined ? (['an open stream', 200] as const) : (known ?? ['no known status', 500])
  const said = decoded(header('grpc-message')[0] ?? '').replaceAll(taskId, 'ID')
  const details = Buffer.from(header('grpc-status-details-bin')[0] ?? '', 'base64')
  const given = reasonsIn(details)
  const reasons = reasonsKnown.filter((reason) => given.includes(reason))
  const meaning = meaningOf(name, reasons, said, answer)
  return {
    ...meaning,
    status,
    summary: `gRPC ${name} ${meaning.by === undefined ? '' : `from ${meaning.by} `}${quoted(said)}`.trim(),
    signature: ['grpc', name, ...reasons].join(' '),
    get face() {
      return [name, ...faceFields.map((field) => header(field).join(' | ')), steadyText(said)].join('\n')
    },
    message: said,
    ...(name === 'OK' && { content: protoContent(answer.bytes ?? Buffer.alloc(0)) }),
    challenges: header('www-authenticate'),
    acceptSignature: header('accept-signature'),
    ...timesIn(answer),
    raw: `${answer.raw}\n${said}\n${details.toString('latin1')}`.replaceAll(taskId, 'ID'),
    receivedAt,
    durationMs,
    connection: localPort,
  }
}

/** The reasons of every google.rpc.ErrorInfo in a google.rpc.Status; none if the bytes are not such a message. */
function reasonsIn(status: Uint8Array): string[] {
  try {
    return bytesFields(status, 3)
      .flatMap((any) => bytesFields(any, 2))
      .flatMap((info) => bytesFields(info, 1))
      .map((reason) => Buffer.from(reason).toString())
  } catch {
    return []
  }
}

/** An HTTP server that knows no gRPC does not have the cell, whatever form its 404 has. */
function readWithoutStatus(answer: HttpAnswer, taskId: string): Answer {
  const read = readHttpAnswer(answer, taskId)
  // Spreading would compute the face now.
  return read.kind === 'unserved' ? Object.assign(read, { wrongCell: true }) : read
}

/** Whether a call without a status is one that stays open, or that got a message. */
const isServed = ({ isOpen, bytes }: HttpAnswer): boolean => isOpen === true || hasMessage(bytes)

/** Each message has a prefix of five bytes. */
const hasMessage = (bytes: Uint8Array | undefined): boolean => (bytes?.length ?? 0) >= 5

/** Something in front may have lost the status, whatever it was. */
function withoutStatus({ durationMs, raw }: HttpAnswer): Answer {
  const explanation = 'HTTP 200, but no gRPC status'
  const unread = noAnswer({ reason: 'broken', explanation, durationMs })
  return { ...unread, status: 200, signature: '200 page', offProtocol: true, closed: false, raw }
}

/** What proxies say in a gRPC status of their own. */
const saidInFront =
  /no healthy upstream|upstream (connect|request)|delayed connect error|no servers? available|remote reset|cluster not found/i

type Meaning = Pick<Answer, 'kind' | 'by' | 'wrongCell'>

function meaningOf(name: string, reasons: readonly string[], said: string, answer: HttpAnswer): Meaning {
  if (reasons.includes('TASK_NOT_FOUND')) return { kind: 'authenticated' }
  if (reasons.includes('VERSION_NOT_SUPPORTED')) return { kind: 'unserved', wrongCell: true }
  const { header } = answer
  const writer = writerOf({ status: answer.status, header, body: said })
  const by = writer ?? (saidInFront.test(said) ? (serverOf({ header }) ?? 'a gateway') : undefined)
  switch (name) {
    case 'OK':
    case 'an open stream':
      return { kind: 'answered' }
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      // A message before the refusal is what the handler said: it ran.
      return { kind: hasMessage(answer.bytes) ? 'answered' : 'refused' }
    case 'RESOURCE_EXHAUSTED':
      return { kind: 'throttled', ...(writer !== undefined && { by: writer }) }
    // Envoy answers so by default to what it limits.
    case 'UNAVAILABLE':
      if (by === undefined) return { kind: 'failed' }
      return { kind: saidInFront.test(said) ? 'foreign' : 'throttled', by }
    case 'DEADLINE_EXCEEDED':
      return { kind: 'foreign', by: by ?? serverOf({ header }) ?? 'a gateway' }
    case 'NOT_FOUND':
      return { kind: /task/i.test(said) && !soundsLikeRefusal(said) ? 'authenticated' : 'other' }
    // An unknown method is answered before any interceptor runs, so this shows nothing about credentials.
    case 'UNIMPLEMENTED':
      return { kind: 'unserved', wrongCell: true }
    case 'CANCELLED':
    case 'UNKNOWN':
    case 'INTERNAL':
    case 'DATA_LOSS':
    case 'no known status':
      return { kind: 'failed' }
    default:
      return { kind: 'other' }
  }
}

/** grpc-message is percent-encoded UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
