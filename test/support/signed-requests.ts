import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { headersOf, peers, someInstant, type PeerName } from './guarded.js'
import { proofOf } from './proof-of.js'

/** A request as it is sent, byte for byte. */
export interface SentRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  readonly chunked?: boolean
}

interface SigningOptions {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly chunked?: boolean
  readonly peer?: PeerName
  readonly agent?: string
  /** Seconds after `someInstant`. */
  readonly created?: number
}

/** A request that a peer has signed. */
export function signed(options: SigningOptions = {}): SentRequest {
  const { method = 'POST', target = '/a2a?x=1', peer = 'alice' } = options
  const body = Buffer.from(options.body ?? '{"hello":"world"}')
  const plain: Record<string, string> = {
    ...(body.length > 0 && { 'Content-Type': 'application/json' }),
    ...headersOf(peer, someInstant),
    ...options.headers,
  }
  const request = { method, target, headers: plain, body }
  const proof = proofOf({ ...options, ...request, seed: peers[peer].seed, at: someInstant })
  const headers = Object.entries({ ...plain, ...proof })
  return { method, target, headers, body, ...(options.chunked && { chunked: true }) }
}

export function without(request: SentRequest, ...names: readonly string[]): SentRequest {
  return { ...request, headers: request.headers.filter(([name]) => !names.includes(name.toLowerCase())) }
}

export function changed(request: SentRequest, name: string, change: (value: string) => string): SentRequest {
  const headers = request.headers.map(
    ([one, value]) => [one, one.toLowerCase() === name ? change(value) : value] as const,
  )
  return { ...request, headers }
}

export interface Answer {
  /** 0 if the connection was closed without a whole answer. */
  readonly status: number
  readonly body: string
  readonly head?: string
}

/** The head of a request of HTTP/1.1. */
export function headOf({ method, target, headers, body, chunked }: SentRequest): string {
  const length = body.length > 0 || method === 'POST' ? [`Content-Length: ${body.length}`] : []
  return [
    `${method} ${target} HTTP/1.1`,
    'Host: a',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(chunked ? ['Transfer-Encoding: chunked'] : length),
    '',
    '',
  ].join('\r\n')
}

/** The body, in the form in which it is sent. */
export function framed({ body, chunked }: SentRequest): Buffer {
  if (!chunked) return body
  const half = Math.ceil(body.length / 2)
  const chunks = [body.subarray(0, half), body.subarray(half)].filter((chunk) => chunk.length > 0)
  return Buffer.concat([
    ...chunks.flatMap((chunk) => [
      Buffer.from(`${chunk.length.toString(16)}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('0\r\n\r\n'),
  ])
}

/** Sends a request of HTTP/1.1 over a socket of its own, and closes it behind the answer. */
export function sendRaw(port: number, request: SentRequest): Promise<Answer> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(headOf(request))
      socket.write(framed(request))
    })
    let text = ''
    const finish = (): void => {
      socket.destroy()
      done(answerOf(text))
    }
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1')
      if (isWhole(text, request.method)) finish()
    })
    socket.on('error', () => undefined)
    socket.on('close', finish)
  })
}

function isWhole(text: string, method: string): boolean {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  if (rest.length === 0) return false
  if (method === 'HEAD') return true
  const body = rest.join('\r\n\r\n')
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  return length === undefined
    ? body.endsWith('0\r\n\r\n') || body.endsWith('0')
    : body.length >= Number(length)
}

function answerOf(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0)
  const body = rest.join('\r\n\r\n')
  return { status, head, body: /^[0-9a-f]+\r\n([^\r]*)\r\n/.exec(body)?.[1] ?? body }
}

/** Sends a request over HTTP/2. */
export function sendHttp2(
  port: number,
  { method, target, headers, body, chunked }: SentRequest,
): Promise<Answer> {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  return new Promise<Answer>((done) => {
    const length = body.length > 0 && !chunked ? { 'content-length': body.length } : {}
    const fields: Record<string, string | string[]> = {}
    for (const [name, value] of headers) {
      const before = fields[name.toLowerCase()]
      fields[name.toLowerCase()] = before === undefined ? value : [before, value].flat()
    }
    const stream = session.request(
      { ':method': method, ':path': target, ...length, ...fields },
      { endStream: body.length === 0 && method !== 'POST' },
    )
    let status = 0
    let text = ''
    stream.on('response', (answer) => (status = answer[':status'] ?? 0))
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      session.destroy()
      done({ status, body: text })
    })
    if (body.length > 0 || method === 'POST') stream.end(body)
  })
}
