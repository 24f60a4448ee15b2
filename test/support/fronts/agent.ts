import { once, type EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'

/** A request as the agent behind a front got it. */
export interface Arrived {
  readonly method: string
  readonly target: string
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Undefined until it is whole. */
  body?: string
}

/** An answer that is still open. */
export interface OpenAnswer {
  write(event: string): void
  end(): void
  /** Resolves when the caller has left. */
  readonly left: Promise<unknown>
}

/** An agent without a guard: it answers everything, and keeps what it was sent. */
export interface BareAgent {
  readonly port: number
  readonly grpcPort: number
  readonly arrived: Arrived[]
  /** The next answer to `/stream`, over HTTP or gRPC. */
  nextStream(): Promise<OpenAnswer>
  close(): Promise<void>
}

export async function startBareAgent(): Promise<BareAgent> {
  const arrived: Arrived[] = []
  const streams = queue<OpenAnswer>()
  const server = createServer((req, res) => answerHttp(req, res, arrived, streams.add))
  const grpc = createHttp2Server()
  const sessions = new Set<Http2Session>()
  grpc.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => undefined)
  })
  grpc.on('stream', (stream, headers) => answerGrpc(stream, headers, arrived, streams.add))
  for (const one of [server, grpc]) {
    one.listen(0, '127.0.0.1')
    await once(one, 'listening')
  }
  return {
    port: (server.address() as AddressInfo).port,
    grpcPort: (grpc.address() as AddressInfo).port,
    arrived,
    nextStream: streams.next,
    close: async () => {
      for (const session of sessions) session.destroy()
      server.closeAllConnections()
      await Promise.all([server, grpc].map((one) => new Promise((closed) => one.close(closed))))
    },
  }
}

function answerHttp(
  req: IncomingMessage,
  res: ServerResponse,
  arrived: Arrived[],
  opened: (stream: OpenAnswer) => void,
): void {
  const { method = '', url: target = '', rawHeaders } = req
  const request: Arrived = { method, target, fields: pairs(rawHeaders) }
  arrived.push(request)
  if (target.startsWith('/stream')) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.flushHeaders()
    req.resume()
    opened({
      write: (event) => res.write(`data: ${event}\n\n`),
      end: () => res.end(),
      left: closed(res),
    })
    return
  }
  let body = ''
  req.setEncoding('latin1').on('data', (chunk: string) => (body += chunk))
  req.on('error', () => undefined)
  req.on('end', () => {
    request.body = body
    // What the agent refuses itself is its own answer, whatever the front does with those of the gate.
    res.writeHead(target.startsWith('/refused') ? 401 : 200, {
      'Content-Type': 'text/plain',
      'X-Agent': 'bare',
    })
    res.end(`agent: ${body.length}`)
  })
}

/** Resolves however it ends. */
const closed = (of: EventEmitter): Promise<unknown> => new Promise((done) => of.once('close', done))

/** One message of gRPC: not compressed. */
export function grpcMessage(text: string): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(text), 1)
  return Buffer.concat([head, Buffer.from(text)])
}

function answerGrpc(
  stream: ServerHttp2Stream,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  arrived: Arrived[],
  opened: (stream: OpenAnswer) => void,
): void {
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((line) => [name, line] as const),
  )
  const target = String(headers[':path'])
  const request: Arrived = { method: String(headers[':method']), target, fields }
  arrived.push(request)
  stream.on('error', () => undefined)
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-agent': 'bare' }))
  let body = ''
  stream.setEncoding('latin1').on('data', (chunk: string) => (body += chunk))
  if (target.endsWith('/Stream')) {
    opened({
      write: (event) => stream.write(grpcMessage(event)),
      end: () => stream.end(),
      left: closed(stream),
    })
    return
  }
  stream.on('end', () => {
    request.body = body
    stream.end(grpcMessage('answer'))
  })
}

function pairs(raw: readonly string[]): [string, string][] {
  const fields: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) fields.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? ''])
  return fields
}

/** Those who wait for something, and what nobody has waited for yet. */
function queue<Item>(): { add: (item: Item) => void; next: () => Promise<Item> } {
  const items: Item[] = []
  const waiting: ((item: Item) => void)[] = []
  return {
    add: (item) => {
      const first = waiting.shift()
      if (first) first(item)
      else items.push(item)
    },
    next: () => {
      const item = items.shift()
      return item === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(item)
    },
  }
}
