import type { IncomingMessage, ServerResponse } from 'node:http'
import { cardPath } from '../../core/card/shapes.js'
import { httpAnswer, type Refusal } from '../scheme/refusal.js'
import type { AuthRequest } from '../scheme/request.js'

/** How much of a refused request's body is let through to nowhere, so that its sender gets to see the answer. */
const longestDrain = 1024 * 1024

/** Whether a request reads the public agent card: GET or HEAD of exactly its path, below where the guard stands. */
export function isCardRequest(method: string | undefined, url: string | undefined): boolean {
  if (!url?.startsWith(cardPath) || (method !== 'GET' && method !== 'HEAD')) return false
  return url.length === cardPath.length || url[cardPath.length] === '?'
}

/** What the scheme is asked about. A class: a getter of each request's own would take longer than the rest of it. */
class HttpAuthRequest implements AuthRequest {
  readonly binding = 'http'
  readonly method: string
  readonly target: string
  readonly #rawHeaders: readonly string[]
  readonly #source: () => string | undefined

  constructor(req: IncomingMessage, target: string, source: () => string | undefined) {
    this.method = req.method ?? ''
    this.target = target
    this.#rawHeaders = req.rawHeaders
    this.#source = source
  }

  header(name: string): string[] {
    return fieldLines(this.#rawHeaders, name)
  }

  get source(): string | undefined {
    return this.#source()
  }
}

/**
 * What the scheme is asked about.
 *
 * @param target as received, where a router has stripped `req.url`
 * @param source the socket's address, unless the framework trusts a proxy. A function, because few requests are asked
 *   for it, and frameworks work it out afresh each time.
 */
export function authRequestOf(
  req: IncomingMessage,
  target = req.url ?? '',
  source: () => string | undefined = () => req.socket.remoteAddress,
): AuthRequest {
  return new HttpAuthRequest(req, target, source)
}

/** All lines of a header field. `req.headers` will not do: of some fields Node keeps only the first. */
function fieldLines(rawHeaders: readonly string[], name: string): string[] {
  const wanted = name.toLowerCase()
  const lines: string[] = []
  for (let place = 0; place < rawHeaders.length; place += 2) {
    const field = rawHeaders[place]
    // The length tells most fields apart, without a copy of each in lower case.
    if (field?.length !== wanted.length || field.toLowerCase() !== wanted) continue
    lines.push(rawHeaders[place + 1] ?? '')
  }
  return lines
}

/** Answers a refused request before its body is read, and holds none of it. */
export function answerRefusal(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  drain(req)
  // Something in front answered for us while the delegate or the guard took its time.
  if (res.headersSent) return
  const { status, headers, body } = httpAnswer(refusal)
  // Not writeHead with a list: it drops repeated fields once any other header is set.
  for (const [name] of headers) res.removeHeader(name)
  for (const [name, value] of headers) res.appendHeader(name, value)
  res.statusCode = status
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** Reads what is still to come of the body, and hangs up on whoever sends too much of it. */
export function drain(req: IncomingMessage): void {
  let rest = longestDrain
  req.on('data', (chunk: Buffer) => {
    rest -= chunk.length
    if (rest < 0) req.destroy()
  })
  req.on('error', () => undefined)
}
