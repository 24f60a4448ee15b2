import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'

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

type Route = readonly [verb: string, path: (id: string) => string]

const both: Readonly<Record<string, Route>> = {
  SendMessage: ['POST', () => '/message:send'],
  SendStreamingMessage: ['POST', () => '/message:stream'],
  GetTask: ['GET', (id) => `/tasks/${id}`],
  CancelTask: ['POST', (id) => `/tasks/${id}:cancel`],
  CreateTaskPushNotificationConfig: ['POST', (id) => `/tasks/${id}/pushNotificationConfigs`],
  GetTaskPushNotificationConfig: ['GET', (id) => `/tasks/${id}/pushNotificationConfigs/x`],
  DeleteTaskPushNotificationConfig: ['DELETE', (id) => `/tasks/${id}/pushNotificationConfigs/x`],
}

/** The methods of each service, as the agent behind has them. */
const services: Readonly<Record<string, readonly [version: string, Readonly<Record<string, Route>>]>> = {
  'lf.a2a.v1.A2AService': [
    '1.0',
    {
      ...both,
      ListTasks: ['GET', () => '/tasks'],
      SubscribeToTask: ['GET', (id) => `/tasks/${id}:subscribe`],
      ListTaskPushNotificationConfigs: ['GET', (id) => `/tasks/${id}/pushNotificationConfigs`],
      GetExtendedAgentCard: ['GET', () => '/extendedAgentCard'],
    },
  ],
  'a2a.v1.A2AService': [
    '0.3',
    {
      ...both,
      TaskSubscription: ['GET', (id) => `/tasks/${id}:subscribe`],
      ListTaskPushNotificationConfig: ['GET', (id) => `/tasks/${id}/pushNotificationConfigs`],
      GetAgentCard: ['GET', () => '/card'],
    },
  ],
}

/** The id of a task in a request: that of 0.3 is part of a name. */
const taskIdIn = (message: Buffer): string =>
  /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(message.toString('latin1'))?.[0] ?? ''

/** Whether a request holds a message with anything in it. */
const hasMessage = (message: Buffer): boolean => message.length > 5 + 2

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
      const [, service = '', method = ''] = (headers[':path'] ?? '').split('/')
      const [version, routes] = services[service] ?? []
      const [verb, path] = routes?.[method] ?? []
      if (!version || !verb || !path) {
        respond(stream, 12, 'unknown method')
        return
      }
      const message = Buffer.concat(chunks)
      const lines = raw.filter((_line, index) => !raw[index - (index % 2)]?.startsWith(':'))
      const kept = lines.flatMap((name, index) =>
        index % 2 === 0 && /^(authorization|x-)/.test(name) ? [name, lines[index + 1] ?? ''] : [],
      )
      const session = stream.session
      const prefix = version === '1.0' ? '/rest' : '/rest/v1'
      const call = httpRequest(origin + prefix + path(taskIdIn(message)), {
        method: verb,
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
      call.end(verb === 'POST' && !hasMessage(message) ? '{}' : undefined)
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

function respond(
  stream: ServerHttp2Stream,
  code: number,
  message: string,
  extra: Record<string, string | string[]> = {},
): void {
  if (stream.destroyed) return
  const fields = {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': String(code),
    'grpc-message': encodeURIComponent(message),
    ...extra,
  }
  stream.respond(fields, { endStream: true })
}

function messageIn(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: { message?: string }; message?: string }
    return error?.message ?? message ?? ''
  } catch {
    return ''
  }
}
