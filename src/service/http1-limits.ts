import { createServer, STATUS_CODES, type Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** How long a client has to read an answer that was sent before its connection is closed, in milliseconds. */
const lingerMs = 500

/** Longer than clients and proxies keep a connection that is idle, so that it is they who close it, in milliseconds. */
const keepAliveMs = 75_000

export interface HeadLimits {
  readonly maxHeaderBytes: number
  readonly headerTimeoutMs: number
}

/**
 * A server of HTTP/1.1 that is given its connections by `emit('connection')`, with limits for heads that hold all the same:
 * 431 for a long one, 408 for a late one, 400 for one that cannot be read. CONNECT is answered with 405.
 *
 * Contents have no time limit: whoever sends one slowly is let in or refused first.
 */
export function createHttp1({ maxHeaderBytes, headerTimeoutMs }: HeadLimits): Server {
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
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What comes after the first error is an error too.
    if (refused.has(socket)) return
    refused.add(socket)
    const isAnswering = (socket as { _httpMessage?: object | null })._httpMessage
    if (!socket.writable || isAnswering) socket.destroy()
    else endSoon(socket, statuses[error.code ?? ''] ?? 400)
  })
  server.on('connect', (_req, socket) => {
    socket.on('error', () => undefined)
    socket.resume()
    endSoon(socket, 405)
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

/** Closing with bytes unread resets the connection, and takes the answer with it. */
function endSoon(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  )
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
