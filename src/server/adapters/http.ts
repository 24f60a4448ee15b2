import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { cardPath } from '../../core/card/shapes.js'
import { httpAnswer, type HttpAnswer, type Refusal } from '../scheme/refusal.js'
import type { AuthRequest } from '../scheme/request.js'
import { drain, http2StreamOf } from './drain.js'

/**
 * Whether a request reads the public agent card: GET or HEAD of exactly its path, below where the guard is mounted.
 * Opening a WebSocket, which some frameworks route like any request, is not reading.
 *
 * @param upgrade returns the field of that name. A function, because Node parses the fields on first use.
 */
export function isCardRequest(
  method: string | undefined,
  url: string | undefined,
  upgrade: () => string | null | undefined,
): boolean {
  if (!url?.startsWith(cardPath) || (method !== 'GET' && method !== 'HEAD')) return false
  if (url.length !== cardPath.length && url[cardPath.length] !== '?') return false
  return !/websocket/i.test(upgrade() ?? '')
}

/** What the guards use of a request of node:http, of node:http2, or of an adapter that imitates one of them. */
export interface NodeRequest extends Readable {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders?: readonly string[] | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
  /** Whether all of it was received. */
  readonly complete?: boolean
}

/** A class, since an object literal with a getter would take longer to create than the rest of a request. */
class HttpAuthRequest implements AuthRequest {
  readonly binding = 'http'
  readonly method: string
  readonly target: string
  readonly #req: NodeRequest
  readonly body: AuthRequest['body']
  readonly #source: () => string | undefined

  constructor(req: NodeRequest, target: string, source: () => string | undefined, body: AuthRequest['body']) {
    this.method = req.method ?? ''
    this.target = target
    this.body = body
    this.#req = req
    this.#source = source
  }

  header(name: string): string[] {
    return fieldLines(this.#req, name)
  }

  get source(): string | undefined {
    return sourceOf(this.#source)
  }
}

/** The caller's address, if it can be told. Frameworks ask the socket, which requests of some adapters do not have. */
export function sourceOf(source: () => string | undefined): string | undefined {
  try {
    const address = source()
    return address === '' ? undefined : address
  } catch {
    return undefined
  }
}

/**
 * @param target as received, if a router has stripped `req.url`
 * @param source returns the caller's address, by default the socket's. A function, because it is rarely needed, and
 *   frameworks compute it each time.
 * @param body of a request with a proof
 */
export function authRequestOf(
  req: NodeRequest,
  target = req.url ?? '',
  source: () => string | undefined = () => req.socket?.remoteAddress,
  body?: AuthRequest['body'],
): AuthRequest {
  return new HttpAuthRequest(req, target, source, body)
}

/**
 * All lines of a header field. Not from `req.headers`, where Node keeps only the first line of some fields, unless there
 * is nothing else: adapters of serverless platforms create requests without `rawHeaders`. One of the two alone is read,
 * so that a line which is only in the other can neither add to it nor stand in for it.
 */
export function fieldLines({ rawHeaders, headers }: NodeRequest, name: string): string[] {
  const wanted = name.toLowerCase()
  const lines: string[] = []
  if (!rawHeaders?.length) {
    for (const [field, value] of Object.entries(headers ?? {})) {
      if (field.toLowerCase() === wanted) addLines(lines, value)
    }
    return lines
  }
  for (let place = 0; place < rawHeaders.length; place += 2) {
    const field = rawHeaders[place]
    // Comparing lengths first avoids a lower-case copy of most names.
    if (field?.length !== wanted.length || field.toLowerCase() !== wanted) continue
    addLines(lines, rawHeaders[place + 1])
  }
  return lines
}

/** Each value of a list is a line of its own. A value that someone has joined with a comma remains one line. */
function addLines(lines: string[], value: unknown): void {
  if (typeof value === 'string') lines.push(value)
  else if (Array.isArray(value)) for (const one of value) addLines(lines, one)
  else if (value !== undefined && value !== null) lines.push(typeof value === 'number' ? String(value) : '')
}

/** Answers a refused request before its body is read, and keeps none of it. */
export function answerRefusal(req: NodeRequest, res: ServerResponse, refusal: Refusal): void {
  drain(req, res)
  // A middleware in front may have answered while the delegate or the state took its time.
  if (!res.headersSent) writeRefusal(req, res, refusal)
}

/** Writes the answer to a refused request, and leaves its body alone. */
export function writeRefusal(req: NodeRequest, res: ServerResponse, refusal: Refusal): void {
  const { status, headers, body } = httpAnswer(refusal)
  for (const [name, lines] of linesByName(headers)) res.setHeader(name, lines)
  res.statusCode = status
  // Something in front may have set a text for another status. HTTP/2 has none, and warns if it is set.
  if (!http2StreamOf(req)) res.statusMessage = ''
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** The lines of each field, in the form that `setHeader` of Node and of its imitations takes. */
export function linesByName(headers: HttpAnswer['headers']): Map<string, string | string[]> {
  const lines = new Map<string, string | string[]>()
  for (const [name, value] of headers) {
    const before = lines.get(name)
    // Not a list of one: Fastify does not recognise a Content-Type in it, and would send text/plain.
    lines.set(name, before === undefined ? value : [before, value].flat())
  }
  return lines
}
