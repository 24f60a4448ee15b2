import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import { tooSlow, type FieldLine, type HttpAnswer, type RawAnswer, type Trouble } from './raw-answer.js'
import type { Route } from './route.js'
import { resetTrouble } from './reset.js'
import type { TimeBudget } from './time-budget.js'
import { explain } from './trouble.js'
import { userAgentLines } from './user-agent.js'

/** A2A answers to these calls have a few hundred bytes. */
const largestAnswer = 128 * 1024

export interface GrpcRequest {
  readonly url: URL
  readonly path: string
  readonly fields: readonly FieldLine[]
  /** With its length prefix. */
  readonly message: Buffer
  /** How long an opened stream may stay silent; undefined if the call must end by itself. */
  readonly eventPatienceMs?: number
}

interface Settings {
  readonly timeoutMs: number
  readonly now: () => Date
  readonly budget: TimeBudget
  readonly route: Route
}

/**
 * gRPC over HTTP/2 as a probe needs it: metadata is sent unchanged, only unprocessed calls are retried, nothing is
 * decompressed, and time and size are limited. One object keeps one connection. It never throws for what the other side
 * does.
 */
export class GrpcConnection {
  #session: ClientHttp2Session | undefined
  #opening: Promise<ClientHttp2Session> | undefined
  #socket: Socket | undefined
  /** What ended the session, if it was an error or a GOAWAY. */
  #trouble: NodeJS.ErrnoException | undefined
  #goaway = 0
  /** Whether anything was answered on this connection. */
  #proven = false

  constructor(private readonly settings: Settings) {}

  async call(request: GrpcRequest): Promise<RawAnswer> {
    const { budget } = this.settings
    if (budget.exhausted) return { answered: false, ...tooSlow, durationMs: 0 }
    const reused = this.#session !== undefined && !this.#session.closed
    const first = await budget.spend(() => this.#attempt(request))
    // The agent can close an idle connection at the moment that it is used again.
    const stale = reused && !first.answered && first.reason === 'broken'
    return stale ? budget.spend(() => this.#attempt(request)) : first
  }

  close(): void {
    this.#session?.destroy()
  }

  #attempt(request: GrpcRequest): Promise<RawAnswer> {
    const begun = performance.now()
    const durationMs = (): number => performance.now() - begun
    return new Promise((resolve) => {
      let stream: ClientHttp2Stream | undefined
      let missing = 'connection'
      let over = false
      const settle = (outcome: RawAnswer): void => {
        over = true
        clearTimeout(deadline)
        resolve(outcome)
      }
      const giveUp = (trouble: Trouble): void => {
        settle({ answered: false, ...trouble, durationMs: durationMs() })
        stream?.close()
        this.close()
      }
      const { timeoutMs } = this.settings
      const deadline = setTimeout(
        () => giveUp({ reason: 'timeout', explanation: `no ${missing} within ${timeoutMs} ms` }),
        timeoutMs,
      )
      const begin = (session: ClientHttp2Session): void => {
        if (over) return
        missing = 'complete answer'
        const opened = session.request(headersOf(request))
        stream = opened
        this.#read(opened, request, {
          done: (received) => {
            this.#proven = true
            const answer = { ...this.#answer(received, durationMs()), isOpen: received.isOpen }
            const impasse = this.settings.route.impasseIn(answer)
            if (impasse && answer.status !== 200) giveUp(impasse)
            else settle(answer)
          },
          tooLong: (received) => giveUp(this.#tooLong(received)),
          broken: (error) => {
            clearTimeout(deadline)
            const trouble = this.#explain(error, opened)
            void this.settings.route.explainClosed(request.url, trouble).then(giveUp)
          },
        })
        opened.end(request.message)
      }
      this.#open(request.url, (waitingFor) => (missing = waitingFor))
        .then(begin)
        .catch((error: unknown) => giveUp(explain(error as Error, 'h2')))
    })
  }

  #open(url: URL, on: (waitingFor: string) => void): Promise<ClientHttp2Session> {
    const known = this.#session
    if (known && !known.closed && !known.destroyed) return Promise.resolve(known)
    this.#opening ??= this.#connect(url, on).finally(() => (this.#opening = undefined))
    return this.#opening
  }

  async #connect(url: URL, on: (waitingFor: string) => void): Promise<ClientHttp2Session> {
    const socket = await this.settings.route.open(url, 'h2', on)
    this.#trouble = undefined
    this.#goaway = 0
    this.#proven = false
    const session = connect(url.origin, {
      settings: { enablePush: false },
      createConnection: () => socket,
    })
    session.on('error', (error: NodeJS.ErrnoException) => (this.#trouble = error))
    session.on('goaway', (code: number) => (this.#goaway = code))
    this.#session = session
    this.#socket = socket
    return session
  }

  #explain(error: NodeJS.ErrnoException, { rstCode }: ClientHttp2Stream): Trouble {
    if (this.#goaway > 0) return resetTrouble('GOAWAY', this.#goaway)
    const cause = this.#trouble ?? reasonOf(error)
    if (cause.code === 'ERR_HTTP2_STREAM_ERROR') return resetTrouble('RST_STREAM', rstCode)
    const handshake = this.#proven ? {} : this.settings.route.handshakeOf(this.#socket)
    return explain(cause, 'h2', handshake)
  }

  #read(
    stream: ClientHttp2Stream,
    { eventPatienceMs }: GrpcRequest,
    on: {
      readonly done: (received: Received) => void
      readonly tooLong: (received: Received) => void
      readonly broken: (error: NodeJS.ErrnoException) => void
    },
  ): void {
    const received: Received = { blocks: [], body: [], isOpen: false }
    let size = 0
    let patience: NodeJS.Timeout | undefined
    const finish = (): void => {
      clearTimeout(patience)
      on.done({ ...received, isOpen: true })
      stream.close()
    }
    stream.on('response', (headers) => {
      received.blocks.push(headers)
      if (eventPatienceMs !== undefined) patience = setTimeout(finish, eventPatienceMs)
    })
    stream.on('trailers', (headers: IncomingHttpHeaders) => void received.blocks.push(headers))
    stream.on('data', (chunk: Buffer) => {
      received.body.push(chunk)
      size += chunk.length
      if (size > largestAnswer) on.tooLong(received)
      else if (eventPatienceMs !== undefined && size > 5) finish()
    })
    stream.on('error', on.broken)
    stream.on('close', () => {
      clearTimeout(patience)
      if (received.blocks.length > 0) on.done(received)
      else on.broken(Object.assign(new Error('closed'), { code: 'ERR_STREAM_CLOSED' }))
    })
  }

  /** Its status comes last, and so was not received. */
  #tooLong(received: Received): Trouble {
    const { raw, receivedAt } = this.#answer(received, 0)
    const explanation = `the answer is longer than ${largestAnswer} bytes`
    return { reason: 'broken', explanation, unread: { raw, receivedAt } }
  }

  #answer({ blocks, body }: Received, durationMs: number): HttpAnswer {
    const bytes = Buffer.concat(body)
    const text = bytes.toString('utf8')
    return {
      answered: true,
      status: Number(blocks[0]?.[':status'] ?? 0),
      header: (name) => blocks.flatMap((block) => block[name] ?? []),
      body: text,
      bytes,
      raw: `${blocks.map((block) => JSON.stringify(block)).join('\n')}\n${text}`,
      receivedAt: this.settings.now(),
      durationMs,
      localPort: this.#socket?.localPort,
    }
  }
}

/** A stream that ends with its session has the session's error as its cause. */
function reasonOf(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error.cause instanceof Error ? error.cause : error
}

/** Header blocks in the order they came, the trailers last. */
interface Received {
  readonly blocks: IncomingHttpHeaders[]
  readonly body: Buffer[]
  readonly isOpen: boolean
}

/** Names in lower case, as HTTP/2 requires; a duplicate name becomes two lines. */
function headersOf({ path, fields }: GrpcRequest): Record<string, string | string[]> {
  const lines = new Map<string, string[]>()
  for (const [name, value] of [...userAgentLines(fields), ...fields]) {
    const key = name.toLowerCase()
    lines.set(key, [...(lines.get(key) ?? []), value])
  }
  const own = [...lines].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values])
  return {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(Object.fromEntries(own) as Record<string, string | string[]>),
  }
}
