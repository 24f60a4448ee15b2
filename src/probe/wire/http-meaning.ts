import { asObject } from '../../core/json.js'
import type { Answer } from './answer.js'
import { gatewayOf, isHtml, serverOf, writerOf } from './in-front.js'
import { isResult, type ProtocolError } from './protocol-error.js'
import { saysTaskIsMissing, soundsLikeRefusal } from './words.js'

/** What an HTTP answer means by itself, before it is compared with others. */
export type Meaning = Pick<Answer, 'kind' | 'by' | 'offProtocol' | 'wrongCell' | 'taskMissing'>

/** An HTTP answer, taken apart. */
interface Parts {
  readonly status: number
  readonly header: (name: string) => readonly string[]
  readonly type: string
  /** The body, or the data of a stream's first event. */
  readonly text: string
  /** The name of that event, `none` if the stream has none yet; undefined if the body is no stream. */
  readonly event: string | undefined
  readonly json: unknown
  readonly error: ProtocolError | undefined
  readonly said: string
}

/** What an HTTP answer means: first who gave it, then its status, then what it says. */
export function meaningOf(parts: Parts): Meaning {
  const { status, json, error, said } = parts
  const foreign = meaningInFront(parts)
  if (foreign) return foreign
  if (status === 401 || status === 403)
    return servedAnyway(parts) ?? { kind: 'refused', offProtocol: !isObject(json) }
  if (status >= 500) return meaningOfCrash(parts)
  if (status >= 300 && status < 400) return { kind: 'redirected' }
  if (error) return meaningOfError(status, error, said)
  const html = isHtml(parts.type, parts.text)
  if (status === 404 || status === 405) {
    // a2a-sdk 0.3 for Python answers so in REST, without a code. Frameworks answer "Not Found" alone.
    if (status === 404 && !html && /^task not found\b/i.test(said)) return { kind: 'authenticated' }
    return { kind: 'unserved', wrongCell: html }
  }
  if (parts.event !== undefined && status < 300) return meaningOfStream(parts)
  if (isObject(json)) {
    if (status >= 300) return { kind: 'other' }
    return isResult(json) ? { kind: 'answered' } : { kind: 'other', offProtocol: true }
  }
  // A page for people, such as a login page, is not an answer of the protocol, but can be compared.
  return { kind: html || status >= 400 ? 'other' : 'unreadable', offProtocol: true }
}

/**
 * Set where something in front answered. What is JSON of the protocol is the agent's, whatever server it came through:
 * proxies name themselves in the answers that they pass on.
 */
function meaningInFront({ status, header, text, json, error }: Parts): Meaning | undefined {
  const page = !isObject(json)
  const writer = page ? writerOf({ status, header, body: text }) : gatewayOf(json, { header })
  const server = page ? serverOf({ header }) : undefined
  const foreign = (by: string): Meaning => ({ kind: 'foreign', by, offProtocol: true })
  if (status === 429 || (status === 503 && (page || writer !== undefined))) {
    const by = writer ?? server
    return { kind: 'throttled', ...(by !== undefined && { by }) }
  }
  if (status === 401) return undefined
  // 407 and 511 come from the way to the agent, 502 and 504 from who could not reach it, and 52x from Cloudflare.
  if (status === 407 || status === 511) return foreign('a proxy')
  if (status === 502 || status === 504) return foreign(writer ?? server ?? 'a gateway')
  if (status >= 520 && status <= 530 && page && !error) return foreign(writer ?? server ?? 'Cloudflare')
  const isMissing = status === 404 || status === 405
  return status >= 400 && !isMissing && writer !== undefined ? foreign(writer) : undefined
}

/** Set if the status is a refusal and the body is a result: a guard that does not stop a call only marks it. */
function servedAnyway({ json, error }: Parts): Meaning | undefined {
  if (error) return undefined
  const body = asObject(json)
  const { result, task, tasks, status } = body
  const isServed =
    ('jsonrpc' in body && Object.keys(asObject(result)).length > 0) ||
    'id' in asObject(task) ||
    Array.isArray(tasks) ||
    'state' in asObject(status)
  return isServed ? { kind: 'answered' } : undefined
}

/** REST has a status of its own for a method that an agent does not have. */
const isUnimplemented = ({ status, error }: Parts): boolean =>
  status === 501 &&
  (error?.code === 'UNIMPLEMENTED' || error?.reasons.includes('UNSUPPORTED_OPERATION') === true)

/** Some JSON-RPC servers send each error of the handler with a 500. */
function meaningOfCrash(parts: Parts): Meaning {
  if (isUnimplemented(parts)) return { kind: 'unserved', wrongCell: true }
  const { status, error, said } = parts
  const taskMissing = error !== undefined && meaningOfError(status, error, said).kind === 'authenticated'
  return { kind: 'failed', ...(taskMissing && { taskMissing }) }
}

/** A stream means what its first event says. One that was opened and is silent was opened. */
function meaningOfStream({ event, json, said }: Parts): Meaning {
  const isError = /error|unauthorized|forbidden/i.test(event ?? '')
  if (event === 'none' || (isObject(json) && isResult(json))) return { kind: 'answered' }
  return isError || soundsLikeRefusal(said) ? { kind: 'other' } : { kind: 'answered' }
}

/** A2A's VersionNotSupported, and what stands for it in REST. */
const wrongCellCodes = new Set(['-32009', 'FAILED_PRECONDITION', 'UNIMPLEMENTED'])

function meaningOfError(status: number, { code, reasons }: ProtocolError, said: string): Meaning {
  if (reasons.includes('TASK_NOT_FOUND') || /^[\w.]*task_?not_?found(error|exception)?$/i.test(code))
    return { kind: 'authenticated' }
  // Agents also use -32001 for refusals, in words of their own, so the code alone proves nothing.
  const namesTask =
    code === '-32001' ? saysTaskIsMissing(said) : isNotFound(status, code) && /task/i.test(said)
  if (namesTask) return { kind: soundsLikeRefusal(said) ? 'other' : 'authenticated' }
  if (wrongCellCodes.has(code) || reasons.includes('VERSION_NOT_SUPPORTED'))
    return { kind: 'unserved', wrongCell: true }
  if (code === '-32601') return { kind: 'unserved' }
  // A web framework's own 404 names its error in words; A2A has numbers and canonical names.
  const ofFramework = (status === 404 || status === 405) && !/^(-?\d+|[A-Z_]+)$/.test(code)
  return { kind: ofFramework ? 'unserved' : 'other' }
}

const isNotFound = (status: number, code: string): boolean => status === 404 && code === 'NOT_FOUND'

const isObject = (json: unknown): json is object => typeof json === 'object' && json !== null
