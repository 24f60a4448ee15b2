import { createServer, STATUS_CODES, type Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** How long a client has to read an answer that was sent before its connection is closed, in milliseconds. */
const lingerMs = 500

/** Longer than clients and proxies keep a connection that is idle, so that it is they who close it, in milliseconds. */
const keepAliveMs = 75_000

export interface HeadLimits {
  readonly maxHeaderBytes: number
  readonly headerTimeoutMs: number
  /** Told of each head that nobody serves; returns another answer, if there is to be one. */
  readonly onUnservedHead?: ((head: UnservedHead) => UnservedAnswer | undefined) | undefined
}

/** A head of HTTP/1.1 that was too long, too late or could not be read. */
export interface UnservedHead {
  readonly status: number
  /** Whether it is a field that could not be read, and nothing about where the request ends. */
  readonly isField: boolean
  /** The bytes that were read last, in latin1: those from its beginning, as a rule. */
  readonly seen: string
}

export interface UnservedAnswer {
  readonly status: number
  /** Lines. */
  readonly fields: readonly string[]
}

/**
 * A server of HTTP/1.1 that is given its connections by `emit('connection')`, with limits for heads that hold all the same:
 * 431 for a long one, 408 for a late one, 400 for one that cannot be read. CONNECT is answered with 405.
 *
 * Contents have no time limit: whoever sends one slowly is let in or refused first.
 */
export function createHttp1({ maxHeaderBytes, headerTimeoutMs, onUnservedHead }: HeadLimits): Server {
  const lookEveryMs = Math.min(1000, headerTimeoutMs / 10)
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: Math.floor(headerTimeoutMs - lookEveryMs),
    requestTimeout: 0,
    connectionsCheckingInterval: lookEveryMs,
    keepAliveTimeout: keepAliveMs,
    // Said, since the environment could switch it on.
    insecureHTTPParser: false,
    // Whoever serves the request answers it, and logs it.
    requireHostHeader: false,
  })
  // Node would drop the lines beyond, and a second one of a field could be among them.
  server.maxHeadersCount = 0
  const refused = new WeakSet<Duplex>()
  server.on('clientError', (error: ParserError, socket) => {
    // What comes after the first error is an error too.
    if (refused.has(socket)) return
    refused.add(socket)
    const isAnswering = (socket as { _httpMessage?: object | null })._httpMessage
    if (!socket.writable || isAnswering) {
      socket.destroy()
      return
    }
    const head = unservedHead(error)
    endSoon(socket, onUnservedHead?.(head) ?? { status: head.status, fields: [] })
  })
  server.on('connect', (_req, socket) => {
    socket.on('error', () => undefined)
    socket.resume()
    endSoon(socket, { status: 405, fields: [] })
  })
  // Starts the timer for late heads. It is the only thing that this starts.
  server.emit('listening')
  return server
}

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer
}

/** Enough for a method and a path. */
const seenBytes = 1024

function unservedHead({ code = '', rawPacket }: ParserError): UnservedHead {
  return {
    status: statuses[code] ?? 400,
    isField: code === 'HPE_INVALID_HEADER_TOKEN',
    seen: rawPacket?.subarray(0, seenBytes).toString('latin1') ?? '',
  }
}

/** Closing with bytes unread resets the connection, and takes the answer with it. */
function endSoon(socket: Duplex, { status, fields }: UnservedAnswer): void {
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`
  socket.end([line, ...fields, 'Content-Length: 0', 'Connection: close', '', ''].join('\r\n'))
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
