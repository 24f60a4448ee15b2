import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { restCallOf } from './grpc-doors.js'
import { respond } from './grpc-responses.js'

/** HTTP statuses as gRPC has them (google.rpc.Code). */
const codes: Readonly<Record<number, number>> = {
  200: 0,
  201: 0,
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  429: 8,
  500: 13,
  503: 14,
}

export interface Gateway {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves A2A over gRPC without TLS by asking an agent over REST, as gateways do: one connection behind for each in
 * front, metadata handed on line by line, statuses and challenges handed back.
 */
export async function startGrpcGateway(origin: string): Promise<Gateway> {
  const behind = new WeakMap<Http2Session, Agent>()
  const sessions = new Set<Http2Session>()
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    behind.set(session, agent)
    session.on('error', () => undefined)
    session.on('close', () => {
      sessions.delete(session)
      agent.destroy()
    })
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _: number, raw: string[]) => {
    const chunks: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const rest = restCallOf(headers[':path'] ?? '')
      if (!rest) {
        respond(stream, 12, 'unknown method')
        return
      }
      const message = Buffer.concat(chunks)
      const lines = raw.filter((_line, index) => !raw[index - (index % 2)]?.startsWith(':'))
      const kept = lines.flatMap((name, index) =>
        index % 2 === 0 && /^(authorization|x-)/.test(name) ? [name, lines[index + 1] ?? ''] : [],
      )
      const { version, method } = rest
      const session = stream.session
      const call = httpRequest(origin + rest.path(message.subarray(7).toString()), {
        method,
        headers: [
          ...kept,
          ...(version === '1.0' ? ['A2A-Version', '1.0'] : []),
          'Host',
          new URL(origin).host,
        ],
        ...(session && { agent: behind.get(session) }),
      })
      call.on('response', (response) => void translate(stream, response))
      call.on('error', () => stream.close())
      stream.on('close', () => call.destroy())
      // No message of a few bytes has an id and parts.
      call.end(method === 'POST' && message.length < 24 ? '{}' : undefined)
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise<void>((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.destroy()
      }),
  }
}

async function translate(stream: ServerHttp2Stream, response: IncomingMessage): Promise<void> {
  const status = response.statusCode ?? 0
  const { headers } = response
  if (status >= 300 && status < 400) {
    stream.respond({ ':status': status, location: headers.location })
    stream.end()
    return
  }
  if (headers['content-type'] === 'text/event-stream') {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  const said = messageIn(Buffer.concat(chunks).toString())
  const kept = Object.entries(headers).filter(([name]) =>
    /^(www-authenticate|retry-after|date|x-)/.test(name),
  )
  const details = said.startsWith('Task not found')
    ? [['grpc-status-details-bin', Buffer.from('\n\x0eTASK_NOT_FOUND').toString('base64')]]
    : []
  respond(
    stream,
    codes[status] ?? 2,
    said,
    Object.fromEntries([...kept, ...details]) as Record<string, string>,
  )
}

function messageIn(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: { message?: string }; message?: string }
    return error?.message ?? message ?? ''
  } catch {
    return ''
  }
}
