import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An agent of node:http and node:crypto alone: it shares no line with what it is asked by. */
export interface PlainAgent {
  readonly url: string
  readonly port: number
  readonly calls: Call[]
  /** The variables that the probe takes its credentials from. */
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** What a request brought: nothing, the token alone, and so on. */
export type Credentials = 'none' | 'bearer' | 'code' | 'wrong code' | 'wrong token' | 'right'

/** One request, as the agent sees it. */
export interface Call {
  readonly method: string
  /** Of the request, with its query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly rpc: { readonly id?: unknown; readonly method?: string; readonly params?: Record<string, unknown> }
  readonly credentials: Credentials
  readonly at: number
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer | object
}

/** `'close'` ends the connection without an answer. */
export type Answering = (
  call: Call,
  usual: () => Reply,
) => Reply | 'close' | undefined | Promise<Reply | 'close' | undefined>

export interface PlainAgentOptions {
  /** The interfaces of the card, or the whole card; undefined takes JSON-RPC and REST of 1.0. */
  readonly interfaces?: (origin: string) => readonly object[]
  readonly card?: (origin: string) => object
  readonly cardPath?: string
  /** Answers before the agent does. */
  readonly answer?: Answering
  readonly host?: string
  /** Another server than one of node:http. */
  readonly serve?: (listener: RequestListener) => Server
  readonly scheme?: 'http' | 'https'
  /** How far the agent's clock is ahead, in seconds. */
  readonly ahead?: number
}

const seedBytes = randomBytes(20)
const token = `a2at_${randomBytes(32).toString('base64url')}`

export const credentials = { A2A_TOTP_TOKEN: token, A2A_TOTP_SEED: base32(seedBytes) }

export async function startPlainAgent(options: PlainAgentOptions = {}): Promise<PlainAgent> {
  const { interfaces = bothBindings, host = '127.0.0.1', scheme = 'http' } = options
  const { cardPath = '/.well-known/agent-card.json', answer = () => undefined } = options
  const calls: Call[] = []
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const call = callOf(request, Buffer.concat(chunks).toString(), options.ahead ?? 0)
      calls.push(call)
      const usual = (): Reply =>
        call.path.split('?')[0] === cardPath ? { status: 200, body: card } : usualAnswer(call)
      void Promise.resolve(answer(call, usual)).then((given) => {
        if (given === 'close') return request.socket.destroy()
        const { status, headers = {}, body = '' } = given ?? usual()
        const isText = typeof body === 'string' || Buffer.isBuffer(body)
        const fields = { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers }
        response.writeHead(status, fields).end(isText ? body : JSON.stringify(body))
      })
    })
  }
  const server = options.serve?.(listener) ?? createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
  const card = options.card?.(url) ?? cardWith(interfaces(url))
  return {
    url,
    port,
    calls,
    env: credentials,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const jsonrpc = (url: string, protocolVersion = '1.0'): object => ({
  url,
  protocolBinding: 'JSONRPC',
  protocolVersion,
})
export const rest = (url: string, protocolVersion = '1.0'): object => ({
  url,
  protocolBinding: 'HTTP+JSON',
  protocolVersion,
})

const bothBindings = (origin: string): readonly object[] => [jsonrpc(`${origin}/rpc`), rest(`${origin}/rest`)]

const cardWith = (supportedInterfaces: readonly object[], more: object = {}): object => ({
  name: 'plain',
  description: 'an agent',
  version: '1',
  supportedInterfaces,
  capabilities: { streaming: true },
  securitySchemes: {
    bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
    totp: { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' } },
  },
  securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
  ...more,
})

export const refusal = (call: Pick<Call, 'headers'>): Reply => ({
  status: 401,
  headers: {
    'www-authenticate': [
      `Bearer realm="a2a"${call.headers.authorization === undefined ? '' : ', error="invalid_token"'}`,
      'TOTP realm="a2a", header="X-TOTP"',
    ],
    'cache-control': 'no-store',
  },
  body: { error: { code: 401, status: 'UNAUTHENTICATED', message: 'not authenticated' } },
})

/** Refuses all but right credentials, then says that there is no such task, or what else is missing. */
function usualAnswer(call: Call): Reply {
  return call.credentials === 'right' ? served(call) : refusal(call)
}

/** What who was let in is told. */
export function served(call: Call): Reply {
  const details = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'TASK_NOT_FOUND',
      domain: 'a2a-protocol.org',
    },
  ]
  const method = call.rpc.method ?? ''
  if (call.path.startsWith('/rpc')) {
    const error = (code: number, message: string, data?: unknown): Reply => ({
      status: 200,
      body: { jsonrpc: '2.0', id: call.rpc.id ?? null, error: { code, message, ...(data ? { data } : {}) } },
    })
    if (/^(GetTask|CancelTask|SubscribeToTask|tasks\/(get|cancel|resubscribe))$/.test(method))
      return error(-32001, `Task not found: ${String(call.rpc.params?.['id'])}`, details)
    if (/send|stream/i.test(method)) return error(-32602, 'message.messageId is required')
    return error(-32601, 'Method not found')
  }
  const path = call.path.replace(/^\/rest/, '').replace(/^\/v1/, '')
  if (/^\/message:(send|stream)/.test(path)) {
    return {
      status: 400,
      body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'message.messageId is required' } },
    }
  }
  if (!/^\/tasks\/[^/]+$/.test(path)) return { status: 404, body: { detail: 'Not Found' } }
  return {
    status: 404,
    body: { error: { code: 404, status: 'NOT_FOUND', message: 'Task not found', details } },
  }
}

function callOf(request: IncomingMessage, body: string, ahead: number): Call {
  const { method = '', url: path = '', headers } = request
  return {
    ...{ method, path, headers, body, at: Date.now() },
    rpc: rpcOf(body),
    credentials: credentialsOf(request, ahead),
  }
}

function rpcOf(body: string): Call['rpc'] {
  try {
    return JSON.parse(body) as Call['rpc']
  } catch {
    return {}
  }
}

function credentialsOf({ headers, rawHeaders }: IncomingMessage, ahead: number): Credentials {
  const lines = (name: string): string[] =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
  const codes = lines('x-totp')
  const step = Math.floor((Date.now() / 1000 + ahead) / 30)
  const isCode = codes.length === 1 && [-1, 0, 1].some((drift) => codeAt(step + drift) === codes[0])
  if (headers.authorization === undefined) return codes.length > 0 ? 'code' : 'none'
  if (
    lines('authorization').length > 1 ||
    headers.authorization.replace(/^bearer/i, 'Bearer') !== `Bearer ${token}`
  )
    return 'wrong token'
  if (codes.length === 0) return 'bearer'
  return isCode ? 'right' : 'wrong code'
}

/** RFC 6238 with SHA-1, six digits and 30 seconds. */
function codeAt(step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', seedBytes).update(counter).digest()
  const offset = (mac[19] ?? 0) & 15
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(parseInt(five, 2)))
    .join('')
}
