import * as http from 'node:http'
import * as https from 'node:https'
import { performance } from 'node:perf_hooks'
import { fieldsOf, readBody } from './body.js'
import { Connection } from './connection.js'
import { GrpcConnection } from './grpc.js'
import { tooSlow, type FieldLine, type HttpAnswer, type RawAnswer, type Trouble } from './raw-answer.js'
import { Route, type RouteSettings } from './route.js'
import { TimeBudget } from './time-budget.js'
import { explain } from './trouble.js'
import { requireCertificates, requireClientCertificate } from './trust.js'
import { userAgentLines } from './user-agent.js'

const largestHead = 32 * 1024

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: URL
  readonly fields: readonly FieldLine[]
  readonly body?: string
  /** The longest body of an answer to read. */
  readonly mostBytes: number
}

export type { Connection } from './connection.js'

/**
 * HTTP/1.1 as a probe needs it: header lines are sent unchanged, no redirect is followed, time and size are limited, and
 * every request is counted. Agents, which are told not to compress, may do so all the same. It never throws for what the
 * other side does.
 *
 * @throws {TOTPError} `ERR_USAGE` at construction when `ca` holds no certificate, or the client certificate and its key
 *   cannot be used.
 */
export class HttpClient {
  readonly #connections: { close: () => void }[] = []
  readonly #budget: TimeBudget
  readonly #route: Route

  constructor(private readonly options: RouteSettings & { readonly now: () => Date }) {
    if (options.ca !== undefined) requireCertificates(options.ca)
    if (options.clientCertificate) requireClientCertificate(options.clientCertificate)
    this.#budget = new TimeBudget(options.timeoutMs)
    this.#route = new Route(options)
  }

  /** Requests sent so far. */
  get requests(): number {
    return this.#budget.requests
  }

  /** How long an event stream that was opened may stay silent, in milliseconds. */
  get eventPatienceMs(): number {
    return Math.min(1000, this.options.timeoutMs / 8)
  }

  /** A new connection, opened with its first request; or several, for as many requests at a time. */
  connection(url: URL, maxSockets = 1): Connection {
    const shared = { keepAlive: true, maxSockets }
    const made = new Connection(url, this.#route, shared)
    this.#connections.push({ close: () => made.destroy() })
    return made
  }

  /** The same for gRPC. */
  grpcConnection(): GrpcConnection {
    const made = new GrpcConnection({ ...this.options, budget: this.#budget, route: this.#route })
    this.#connections.push(made)
    return made
  }

  async exchange(connection: Connection, request: HttpRequest): Promise<RawAnswer> {
    if (this.#budget.exhausted) return { answered: false, ...tooSlow, durationMs: 0 }
    return connection.inTurn(async () => {
      const first = await this.#budget.spend(() => this.#attempt(connection, request))
      // The agent can close an idle connection at the moment that it is used again (RFC 9110 §9.2.2).
      return first === 'stale' ? this.#retry(connection, request) : first
    })
  }

  close(): void {
    this.#route.close()
    for (const connection of this.#connections) connection.close()
  }

  async #retry(connection: Connection, request: HttpRequest): Promise<RawAnswer> {
    // What the agent closed for having been idle, it closed together.
    connection.closeIdle()
    const second = await this.#budget.spend(() => this.#attempt(connection, request))
    const explanation = 'the agent closes connections before it answers'
    return second === 'stale' ? { answered: false, reason: 'broken', explanation, durationMs: 0 } : second
  }

  #attempt(
    connection: Connection,
    { method, url, fields, body, mostBytes }: HttpRequest,
  ): Promise<RawAnswer | 'stale'> {
    const begun = performance.now()
    const always: FieldLine[] = [
      ['Host', url.host],
      ['Accept-Encoding', 'identity'],
    ]
    const lines: FieldLine[] = [...always, ...userAgentLines(fields), ...fields]
    if (body !== undefined) lines.push(['Content-Length', String(Buffer.byteLength(body))])
    const { request } = url.protocol === 'https:' ? https : http
    return new Promise((resolve) => {
      const sent = request(url, {
        method,
        agent: connection,
        headers: lines.flat(),
        maxHeaderSize: largestHead,
      })
      const durationMs = (): number => performance.now() - begun
      const settle = (outcome: RawAnswer | 'stale'): void => {
        clearTimeout(deadline)
        resolve(outcome)
      }
      let isBegun = false
      const giveUp = (trouble: Trouble): void => {
        settle({ answered: false, ...trouble, begun: isBegun, durationMs: durationMs() })
        sent.destroy()
      }
      const deadline = setTimeout(() => {
        const missing = sent.socket ? 'complete answer' : connection.waitingFor
        giveUp({ reason: 'timeout', explanation: `no ${missing} within ${this.options.timeoutMs} ms` })
      }, this.options.timeoutMs)

      sent.on('error', (error: NodeJS.ErrnoException) => {
        const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        const handshake = sent.reusedSocket ? {} : this.#route.handshakeOf(sent.socket)
        clearTimeout(deadline)
        if (stale) settle('stale')
        else void this.#route.explainClosed(url, explain(error, 'http/1.1', handshake)).then(giveUp)
      })
      sent.on('response', (response) => {
        isBegun = true
        const { localPort } = response.socket
        void readBody(response, { mostBytes, eventPatienceMs: this.eventPatienceMs }).then((read) => {
          if ('unreadable' in read) {
            giveUp({
              reason: 'broken',
              explanation: read.unreadable,
              unread: this.#received(response, read.text),
            })
            return
          }
          const answer = this.#answer(response, read, durationMs(), localPort)
          const impasse = this.#route.impasseIn(answer)
          if (impasse) giveUp(impasse)
          else settle(answer)
        })
      })
      sent.on('upgrade', () => {
        giveUp({
          reason: 'broken',
          explanation: 'the agent switches protocols (101) without being asked',
          unread: { status: 101 },
        })
      })
      // Bytes, because with a text Node would encode the header like the text: Latin-1 as UTF-8.
      sent.end(body === undefined ? undefined : Buffer.from(body))
    })
  }

  #answer(
    response: http.IncomingMessage,
    { text: body, remarks }: { readonly text: string; readonly remarks: readonly string[] },
    durationMs: number,
    localPort: number | undefined,
  ): HttpAnswer {
    return {
      answered: true,
      header: (name) => fieldsOf(response, name),
      body,
      ...this.#received(response, body),
      durationMs,
      localPort,
      ...(remarks.length > 0 && { remarks }),
    }
  }
  #received(
    { statusCode = 0, rawHeaders }: http.IncomingMessage,
    body: string,
  ): Pick<HttpAnswer, 'status' | 'raw' | 'receivedAt'> {
    return { status: statusCode, raw: `${rawHeaders.join('\n')}\n${body}`, receivedAt: this.options.now() }
  }
}
