import * as http from 'node:http'
import * as https from 'node:https'
import { performance } from 'node:perf_hooks'
import { fieldsOf, readBody } from './body.js'
import { GrpcConnection } from './grpc.js'
import {
  explain,
  tooSlow,
  type FieldLine,
  type HttpAnswer,
  type NoAnswer,
  type RawAnswer,
} from './raw-answer.js'
import { TimeBudget } from './time-budget.js'
import { requireCertificates, trusting } from './trust.js'

const largestHead = 32 * 1024

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly fields: readonly FieldLine[]
  readonly body?: string
  /** The longest body of an answer to read. */
  readonly mostBytes: number
}

/** Keeps at most one TCP connection, which its requests share as long as the agent leaves it open. */
export type Connection = http.Agent

/**
 * HTTP/1.1 as a probe needs it: header lines are sent unchanged, no redirect is followed, nothing is decompressed, time
 * and size are limited, and every request is counted. It never throws for what the other side does.
 *
 * @throws {TOTPError} `ERR_USAGE` at construction when `ca` holds no certificate.
 */
export class HttpClient {
  readonly #connections: { close: () => void }[] = []
  readonly #budget: TimeBudget

  constructor(
    private readonly options: { readonly timeoutMs: number; readonly ca?: string; readonly now: () => Date },
  ) {
    if (options.ca !== undefined) requireCertificates(options.ca)
    this.#budget = new TimeBudget(options.timeoutMs)
  }

  /** Requests sent so far. */
  get requests(): number {
    return this.#budget.requests
  }

  /** How long an event stream that was opened may stay silent, in milliseconds. */
  get eventPatienceMs(): number {
    return Math.min(1000, this.options.timeoutMs / 8)
  }

  /** A new connection, opened with its first request. */
  connection({ protocol }: URL): Connection {
    const shared = { keepAlive: true, maxSockets: 1 }
    const made =
      protocol === 'https:'
        ? new https.Agent({ ...shared, ...trusting(this.options.ca) })
        : new http.Agent(shared)
    this.#connections.push({ close: () => made.destroy() })
    return made
  }

  /** The same for gRPC. */
  grpcConnection(): GrpcConnection {
    const made = new GrpcConnection({ ...this.options, budget: this.#budget })
    this.#connections.push(made)
    return made
  }

  async exchange(connection: Connection, request: HttpRequest): Promise<RawAnswer> {
    if (this.#budget.exhausted) return { answered: false, ...tooSlow, durationMs: 0 }
    const first = await this.#budget.spend(() => this.#attempt(connection, request))
    // The agent can close an idle connection at the moment that it is used again (RFC 9110 §9.2.2).
    return first === 'stale' ? this.#retry(connection, request) : first
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  async #retry(connection: Connection, request: HttpRequest): Promise<RawAnswer> {
    const second = await this.#budget.spend(() => this.#attempt(connection, request))
    const explanation = 'the agent closes connections before it answers'
    return second === 'stale' ? { answered: false, reason: 'broken', explanation, durationMs: 0 } : second
  }

  #attempt(
    connection: Connection,
    { method, url, fields, body, mostBytes }: HttpRequest,
  ): Promise<RawAnswer | 'stale'> {
    const begun = performance.now()
    const lines: FieldLine[] = [['Host', url.host], ['Accept-Encoding', 'identity'], ...fields]
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
      const giveUp = (reason: NoAnswer['reason'], explanation: string): void => {
        settle({ answered: false, reason, explanation, durationMs: durationMs() })
        sent.destroy()
      }
      const deadline = setTimeout(
        () => giveUp('timeout', `no complete answer within ${this.options.timeoutMs} ms`),
        this.options.timeoutMs,
      )

      sent.on('error', (error: NodeJS.ErrnoException) => {
        const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        settle(stale ? 'stale' : { answered: false, ...explain(error), durationMs: durationMs() })
      })
      sent.on('response', (response) => {
        const { localPort } = response.socket
        readBody(response, { mostBytes, eventPatienceMs: this.eventPatienceMs }).then(
          (text) => {
            if (text === undefined) giveUp('broken', `the answer is longer than ${mostBytes} bytes`)
            else settle(this.#answer(response, text, durationMs(), localPort))
          },
          () => giveUp('broken', 'the connection broke before the answer was complete'),
        )
      })
      // Bytes, because with a text Node would encode the header like the text: Latin-1 as UTF-8.
      sent.end(body === undefined ? undefined : Buffer.from(body))
    })
  }

  #answer(
    response: http.IncomingMessage,
    body: string,
    durationMs: number,
    localPort: number | undefined,
  ): HttpAnswer {
    return {
      answered: true,
      status: response.statusCode ?? 0,
      header: (name) => fieldsOf(response, name),
      body,
      raw: `${response.rawHeaders.join('\n')}\n${body}`,
      receivedAt: this.options.now(),
      durationMs,
      localPort,
    }
  }
}
