import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { selfSigned } from './tls.js'

/** What a proxy in front of an agent does besides passing requests on. */
export interface FrontHabits {
  /** How long it holds back each answer. */
  readonly delayMs?: number
  /** Requests a second that it lets through, with no burst; the others get `limited`. */
  readonly rate?: number
  readonly limited?: (response: ServerResponse) => true
  /** Answers this in place of the agent, or not (false). */
  readonly answers?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Edits the body of an answer. */
  readonly edit?: (body: Buffer, request: IncomingMessage) => Buffer
  readonly gzip?: boolean
  /** Whether it closes each connection after its answer. */
  readonly closes?: boolean
  /** The path that it asks the agent for. */
  readonly path?: (path: string) => string
  readonly fields?: () => Readonly<Record<string, string>>
  readonly host?: string
  readonly tls?: boolean
}

export interface Front {
  readonly origin: string
  /** The certificate to trust, with TLS. */
  readonly ca: string | undefined
  close(): Promise<void>
}

/** A reverse proxy on a free port, as careful as those of the field: it decodes nothing and passes header lines on. */
export async function startFront(to: string, habits: FrontHabits): Promise<Front> {
  const { host = '127.0.0.1', tls = false } = habits
  const tokens = bucket(habits.rate)
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (habits.closes) response.setHeader('Connection', 'close')
    // A body that nobody reads would have the connection reset under the answer.
    const answered = tokens() ? habits.answers?.(request, response) : (habits.limited ?? tooMany)(response)
    if (answered === false || answered === undefined) pass(request, response, to, habits)
    else request.resume()
  }
  const certificate = tls ? selfSigned() : undefined
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener)
  server.listen(0, host)
  await new Promise((done) => server.once('listening', done))
  const name = host.includes(':') ? `[${host}]` : host
  return {
    origin: `${tls ? 'https' : 'http'}://${name}:${(server.address() as AddressInfo).port}`,
    ca: certificate?.cert.toString(),
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  to: string,
  { delayMs = 0, edit = (body) => body, gzip = false, path = (same) => same, fields }: FrontHabits,
): void {
  const onward = httpRequest(to + path(request.url ?? '/'), {
    method: request.method,
    headers: request.rawHeaders,
    agent: false,
  })
  onward.on('error', () => response.destroy())
  onward.on('response', (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () => {
      const body = edit(Buffer.concat(chunks), request)
      setTimeout(() => {
        const kept = Object.entries(answer.headers).filter(
          ([name]) => !/^(content-length|connection|transfer)/.test(name),
        )
        for (const [name, value] of [...kept, ...Object.entries(fields?.() ?? {})])
          response.setHeader(name, value ?? '')
        if (gzip) response.setHeader('Content-Encoding', 'gzip')
        response.writeHead(answer.statusCode ?? 502).end(gzip ? gzipSync(body) : body)
      }, delayMs)
    })
  })
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}

/** Answers as nginx does to what it limits, where its setting says 429. */
function tooMany(response: ServerResponse): true {
  response.writeHead(429, { 'Content-Type': 'text/html', Server: 'nginx' })
  response.end('<html><head><title>429 Too Many Requests</title></head></html>')
  return true
}

/** Whether a request may pass: one for each part of a second, as a leaky bucket without a burst. */
function bucket(rate = Infinity): () => boolean {
  let freeAt = 0
  return () => {
    const now = performance.now()
    if (now < freeAt) return false
    freeAt = now + 1000 / rate
    return true
  }
}
