import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request as an agent reads it that knows nothing but RFC 9112, with every byte of its own. */
export interface RawRequest {
  readonly line: string
  /** Name and value of each field line, as they came. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly trailers: readonly (readonly [name: string, value: string])[]
}

export interface RawAgent {
  readonly url: string
  readonly requests: RawRequest[]
  /** All bytes of each connection, as latin1. */
  readonly connections: string[]
}

type Answer = (request: RawRequest, socket: Socket, count: number) => void

const plain: Answer = (_, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')

/** An agent that reads bytes by itself, so that nothing between it and the wire could mend them. */
export async function rawAgent(answer: Answer = plain): Promise<RawAgent> {
  const requests: RawRequest[] = []
  const connections: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const own = connections.push('') - 1
    let rest = ''
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      connections[own] = (connections[own] ?? '') + text
      rest += text
      for (let read = readRequest(rest); read; read = readRequest(rest)) {
        rest = rest.slice(read.length)
        requests.push(read.request)
        answer(read.request, socket, requests.length)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, connections }
}

const fieldsIn = (lines: readonly string[]): RawRequest['fields'] =>
  lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })

const valueOf = (fields: RawRequest['fields'], wanted: string): string | undefined =>
  fields.find(([name]) => name.toLowerCase() === wanted)?.[1]

/** Undefined until a whole request is there. */
function readRequest(text: string): { readonly request: RawRequest; readonly length: number } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line = '', ...lines] = text.slice(0, end).split('\r\n')
  const fields = fieldsIn(lines)
  const begin = end + 4
  if (valueOf(fields, 'transfer-encoding') !== undefined) return readChunked(text, begin, line, fields)
  const length = begin + Number(valueOf(fields, 'content-length') ?? 0)
  if (text.length < length) return undefined
  return { request: { line, fields, body: text.slice(begin, length), trailers: [] }, length }
}

function readChunked(
  text: string,
  begin: number,
  line: string,
  fields: RawRequest['fields'],
): { readonly request: RawRequest; readonly length: number } | undefined {
  let body = ''
  for (let at = begin; ;) {
    const sizeEnd = text.indexOf('\r\n', at)
    if (sizeEnd < 0) return undefined
    const size = parseInt(text.slice(at, sizeEnd), 16)
    at = sizeEnd + 2
    if (size > 0) {
      if (text.length < at + size + 2) return undefined
      body += text.slice(at, at + size)
      at += size + 2
      continue
    }
    const end = text.startsWith('\r\n', at) ? at : text.indexOf('\r\n\r\n', at)
    if (end < 0) return undefined
    const isBare = end === at
    const trailers = isBare ? [] : fieldsIn(text.slice(at, end).split('\r\n'))
    return { request: { line, fields, body, trailers }, length: end + (isBare ? 2 : 4) }
  }
}
