import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { grpcMessage } from './agent.js'

/** Field lines as they are sent: names repeated, misspelled and in any case. */
export type Lines = readonly (readonly [name: string, value: string])[]

export interface Ask {
  readonly method?: string
  readonly target?: string
  readonly fields?: Lines
  readonly body?: string
  /** The lines of framing; by default a Content-Length where there is a body. */
  readonly framing?: Lines
  /** By default `close`. */
  readonly connection?: string
  /** How long an answer may take, in milliseconds; by default 15 s. */
  readonly patience?: number
}

export interface Answered {
  readonly status: number
  /** Names in lower case. */
  readonly fields: Lines
  readonly body: string
}

/** The lines of a field. */
export const linesOf = (fields: Lines, name: string): string[] =>
  fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value)

function textOf({
  method = 'POST',
  target = '/rpc',
  fields = [],
  body = '',
  framing,
  connection,
}: Ask): string {
  const length: Lines = body === '' ? [] : [['Content-Length', String(Buffer.byteLength(body))]]
  const lines: Lines = [
    ['Host', 'agent.example'],
    ['Connection', connection ?? 'close'],
    ...fields,
    ...(framing ?? length),
  ]
  return `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

/** Sends exactly these bytes over a connection of its own. The status is 0 if it is closed without an answer. */
export async function ask(port: number, request: Ask): Promise<Answered> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    if (isWhole(text)) socket.destroy()
  })
  socket.on('error', () => undefined)
  socket.on('connect', () => socket.write(textOf(request)))
  // Two answers or none would be a fault of the test.
  socket.setTimeout(request.patience ?? 15_000, () => socket.destroy(new Error('no answer')))
  await once(socket, 'close')
  return parsed(text)
}

/** Whether an answer with a length is complete; others end with the connection. */
function isWhole(text: string): boolean {
  const at = text.indexOf('\r\n\r\n')
  if (at < 0) return false
  const head = text.slice(0, at)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return text.length >= at + 4 + Number(length)
  return /\r\ntransfer-encoding: *chunked/i.test(head) && text.endsWith('\r\n0\r\n\r\n')
}

function parsed(text: string): Answered {
  const at = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, Math.max(at, 0)).split('\r\n')
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const raw = text.slice(at + 4)
  const chunked = linesOf(fields, 'transfer-encoding').length > 0
  return { status: Number(first.split(' ')[1] ?? 0), fields, body: chunked ? unchunked(raw) : raw }
}

function unchunked(text: string): string {
  let body = ''
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (end < 0 || !(size > 0)) return body
    body += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 4 + size)
  }
}

/** An answer that is read as it comes. */
export interface Reading {
  /** Resolves once a text has arrived. */
  has(text: string): Promise<void>
  leave(): void
}

/** Asks for a stream over HTTP/1.1. */
export function readStream(port: number, request: Ask): Reading {
  const socket = connect(port, '127.0.0.1', () => socket.write(textOf(request)))
  return reading(socket)
}

function reading(from: Socket | ClientHttp2Stream): Reading {
  let text = ''
  let arrived = (): void => undefined
  from.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    arrived()
  })
  from.on('error', () => undefined)
  return {
    has: (wanted) =>
      new Promise((resolve, reject) => {
        arrived = () => {
          if (text.includes(wanted)) resolve()
        }
        from.once('close', () => reject(new Error(`ended without ${wanted}: ${text}`)))
        arrived()
      }),
    leave: () => void from.destroy(),
  }
}

export interface GrpcAnswered {
  /** Of the head. */
  readonly status: number
  /** Of the trailers, or of a head that is all there is. */
  readonly grpcStatus: string | undefined
  /** Of head and trailers. */
  readonly fields: IncomingHttpHeaders
  readonly body: string
}

const method = '/lf.a2a.v1.A2AService/SendMessage'

/** Calls over HTTP/2 without TLS, as clients of gRPC do. */
export async function call(
  port: number,
  fields: Readonly<Record<string, string | string[]>>,
  { target = method, message = 'hello', patience = 15_000 } = {},
): Promise<GrpcAnswered> {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  const stream = session.request(headOf(target, fields))
  let status = 0
  let all: IncomingHttpHeaders = {}
  let body = ''
  stream.on('response', (head: IncomingHttpHeaders & { ':status'?: number }) => {
    status = Number(head[':status'])
    all = { ...all, ...head }
  })
  stream.on('trailers', (trailers: IncomingHttpHeaders) => (all = { ...all, ...trailers }))
  stream.setEncoding('latin1').on('data', (chunk: string) => (body += chunk))
  stream.on('error', () => undefined)
  stream.setTimeout(patience, () => stream.destroy())
  stream.end(grpcMessage(message))
  await once(stream, 'close')
  session.destroy()
  return { status, grpcStatus: all['grpc-status'] as string | undefined, fields: all, body }
}

/** Calls a method that streams. */
export function callStream(port: number, fields: Readonly<Record<string, string>>): Reading {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  const stream = session.request(headOf('/lf.a2a.v1.A2AService/Stream', fields))
  stream.on('close', () => session.destroy())
  stream.end(grpcMessage('hello'))
  return reading(stream)
}

const headOf = (
  target: string,
  fields: Readonly<Record<string, string | string[]>>,
): Record<string, string | string[]> => ({
  ':method': 'POST',
  ':path': target,
  'content-type': 'application/grpc',
  te: 'trailers',
  ...fields,
})
