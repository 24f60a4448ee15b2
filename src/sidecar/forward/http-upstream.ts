import {
  Agent as HttpAgent,
  request as requestHttp,
  type AgentOptions,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { UpstreamError, type IncomingAnswer, type OutgoingRequest, type Upstream } from './exchange.js'
import { endToEnd, pairsOf } from './fields.js'
import { Patience, sendContent } from './send-content.js'
import { onThisMachine } from './this-machine.js'
import { defaultConnectMs, type UpstreamAddress, type UpstreamOptions } from './upstream-options.js'

/** Less than servers usually wait (5 s), so that a connection is not closed while a request is on its way. */
const idleMs = 4000

/** See `httpUpstream`. */
export class HttpUpstream implements Upstream {
  readonly protocol = 'http/1.1'
  readonly origin: string
  readonly #agent: HttpAgent
  /** For second tries, on connections of their own. */
  readonly #fresh: HttpAgent
  readonly #isTls: boolean
  readonly #target: { readonly socketPath: string } | { readonly host: string; readonly port: string }
  readonly #authority: string
  readonly #connectMs: number
  readonly #answerMs: number

  constructor(address: UpstreamAddress, { ca, cert, key, timeouts = {} }: UpstreamOptions) {
    const url = 'socket' in address ? undefined : address
    this.#isTls = url?.protocol === 'https:'
    this.origin = url?.origin ?? 'http://localhost'
    this.#authority = url?.host ?? 'localhost'
    this.#target = url
      ? { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || (this.#isTls ? '443' : '80') }
      : { socketPath: (address as { socket: string }).socket }
    this.#connectMs = timeouts.connectMs ?? defaultConnectMs
    this.#answerMs = timeouts.answerMs ?? 0
    const tls = {
      ...(ca !== undefined && { ca: ca as string }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      // Said, since the environment could switch it off else.
      rejectUnauthorized: true,
    }
    const nearby = url ? onThisMachine(url.hostname) : {}
    const agent = (kept: AgentOptions): HttpAgent =>
      this.#isTls ? new HttpsAgent({ ...kept, ...tls, ...nearby }) : new HttpAgent({ ...kept, ...nearby })
    this.#agent = agent({ keepAlive: true, maxFreeSockets: 256, scheduling: 'lifo', timeout: idleMs })
    this.#fresh = agent({ keepAlive: false })
  }

  async send(request: OutgoingRequest, signal: AbortSignal): Promise<IncomingAnswer> {
    signal.throwIfAborted()
    try {
      return await this.#sendOnce(request, signal, this.#agent)
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error
      if (signal.aborted || !isRepeatable(request)) throw error.cause
    }
    return this.#sendOnce(request, signal, this.#fresh)
  }

  close(): void {
    // Not `destroy`, which cuts the calls that are under way.
    this.#agent.keepSocketAlive = () => false
    for (const idle of Object.values(this.#agent.freeSockets).flat()) idle?.destroy()
  }

  #sendOnce(request: OutgoingRequest, signal: AbortSignal, agent: HttpAgent): Promise<IncomingAnswer> {
    return new Promise((done, fail) => {
      const sent = this.#request(request, agent)
      let problem: UpstreamError | undefined
      const giveUp = (kind: 'unreachable' | 'slow') => () => {
        problem = new UpstreamError(kind, messages[kind])
        sent.destroy()
      }
      const connecting = new Patience(this.#connectMs, giveUp('unreachable'))
      const answering = new Patience(this.#answerMs, giveUp('slow'))
      let isConnected = false
      let isAnswered = false
      const abort = (): void => void sent.destroy()
      signal.addEventListener('abort', abort)
      const onConnected = (): void => {
        connecting.stop()
        isConnected = true
        sendContent(sent, request.content, {
          onTheirTurn: () => answering.start(),
          onOurTurn: () => answering.stop(),
          beforeEnd: () => addTrailers(sent, request),
          onCut: abort,
        })
      }
      sent.once('socket', (socket) => {
        if (socket.connecting) {
          connecting.start()
          socket.once(this.#isTls ? 'secureConnect' : 'connect', onConnected)
        } else onConnected()
      })
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const kind = isConnected ? 'cut' : 'unreachable'
        const thrown = problem ?? new UpstreamError(kind, `${messages[kind]} (${error.code ?? 'no reason'})`)
        fail(sent.reusedSocket && !problem ? new StaleConnection(thrown) : thrown)
      })
      sent.once('close', () => {
        connecting.stop()
        answering.stop()
        signal.removeEventListener('abort', abort)
        if (!isAnswered) fail(new UpstreamError('cut', messages.cut))
      })
      sent.once('response', (res: IncomingMessage) => {
        answering.stop()
        isAnswered = true
        // Who takes the content may not listen yet.
        res.on('error', () => undefined)
        done({
          status: res.statusCode ?? 0,
          fields: res.rawHeaders,
          content: res,
          trailers: () => res.rawTrailers,
        })
      })
    })
  }

  #request(request: OutgoingRequest, agent: HttpAgent): ClientRequest {
    const send = this.#isTls ? requestHttps : requestHttp
    const sent = send({
      ...this.#target,
      agent,
      method: request.method,
      path: request.target,
      headers: this.#fieldsOf(request),
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: longestHead,
    })
    sent.maxHeadersCount = 0
    return sent
  }

  /** With the framing of its own: the content's length where it is known, else chunked. */
  #fieldsOf({ method, fields, authority, content }: OutgoingRequest): string[] {
    const sent = ['Host', authority ?? this.#authority]
    const passed = endToEnd(fields)
    let length: string | undefined
    for (let place = 0; place + 1 < passed.length; place += 2) {
      const name = passed[place] ?? ''
      const value = passed[place + 1] ?? ''
      const lower = name.toLowerCase()
      if (lower === 'content-length') length ??= value
      if (!dropped.has(lower)) sent.push(name, value)
    }
    if (content instanceof Uint8Array) sent.push('Content-Length', String(content.length))
    else if (content === undefined) {
      if (!withoutContent.has(method)) sent.push('Content-Length', '0')
    } else if (length !== undefined) sent.push('Content-Length', length)
    else sent.push('Transfer-Encoding', 'chunked')
    return sent
  }
}

/** Of an answer, in bytes. */
const longestHead = 64 * 1024

const messages = {
  slow: 'the server behind has not answered in time',
  unreachable: 'the server behind cannot be reached',
  cut: 'the server behind has closed the connection before its answer',
}

/** Whose place is taken, or that is answered here: the 100 of `Expect` is given by who reads the content. */
const dropped: ReadonlySet<string> = new Set(['host', 'content-length', 'expect'])

/** Methods that usually have no content, and do not say so. */
const withoutContent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

class StaleConnection extends Error {
  constructor(override readonly cause: UpstreamError) {
    super(cause.message)
  }
}

function isRepeatable({ method, content }: OutgoingRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && content === undefined
}

/** Before the end, where node:http takes them. */
function addTrailers(sent: ClientRequest, { trailers }: OutgoingRequest): void {
  const fields = endToEnd(trailers?.() ?? [])
  if (fields.length > 0) sent.addTrailers([...pairsOf(fields)] as never)
}
