import { once } from 'node:events'
import type { IncomingMessage, Server as Http1, ServerResponse } from 'node:http'
import type { Http2Server, ServerHttp2Session } from 'node:http2'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTls, type Server as TlsServer, type TLSSocket } from 'node:tls'
import { shownAddress, type ListenPlace } from './address.js'
import { continueOnceRead } from './awaited-content.js'
import { readProtocol } from './first-bytes.js'
import { inTurn } from './in-turn.js'
import { createHttp1, type HeadLimits } from './http1-limits.js'
import { createHttp2, isLongHead } from './http2-limits.js'
import { portError, type Listener } from './listener.js'
import { listenAtFile } from './socket-file.js'

export interface MixedOptions {
  /** In PEM. With it, only TLS is spoken, and the protocol is agreed on by ALPN. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer }
  /** The longest head of a request, in bytes; by default 16 KiB. */
  readonly maxHeaderBytes?: number
  /** In how many milliseconds the head of a request has to be complete; by default 10 s. */
  readonly headerTimeoutMs?: number
  readonly onUnservedHead?: HeadLimits['onUnservedHead']
}

/** A listener that can come to its end without cutting anything off. */
export interface MixedListener extends Listener {
  /** Accepts nothing new, and returns once every call has ended. After that many milliseconds, the rest is cut off. */
  drain(ms: number): Promise<void>
  /** Speaks TLS with another certificate from the next connection on. Only for a listener that was started with one. */
  replaceTls(tls: NonNullable<MixedOptions['tls']>): void
}

/** Answers a request of HTTP/1.1, or of HTTP/2 in the shape that node:http2 gives it for compatibility. */
export type MixedHandler = (req: IncomingMessage, res: ServerResponse) => void

/**
 * Listens for HTTP/1.1 and HTTP/2 at one port. Without TLS, the first bytes of a connection tell which it is.
 *
 * `Expect: 100-continue` is answered once the handler reads the content; any other expectation is ignored, as RFC 9110 §10.1.1
 * allows. Upgrades arrive as requests; CONNECT does not: it is answered with 405.
 *
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE` when the port is in use or not allowed, the address is not this machine's, or
 *   a process listens at the socket
 */
export async function listenMixed(
  address: ListenPlace,
  handler: MixedHandler,
  options: MixedOptions = {},
): Promise<MixedListener> {
  const server = new MixedServer(handler, options)
  await server.listen(address)
  return server
}

/** How long requests that are on their way when the end comes have to arrive, in milliseconds. */
const inFlightMs = 100

class MixedServer implements MixedListener {
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #answers = new Set<ServerResponse>()
  readonly #server: Server
  readonly #http1: Http1
  readonly #http2: Http2Server
  readonly #handler: MixedHandler
  /** Of connections whose first head is not complete. */
  readonly #deadlines = new Map<Socket, NodeJS.Timeout>()
  readonly #socketOf = new WeakMap<ServerHttp2Session, Socket>()
  #opening: Socket | undefined
  #address = ''
  #isEnding = false
  #closed: Promise<void> | undefined

  constructor(
    handler: MixedHandler,
    { tls, maxHeaderBytes = 16 * 1024, headerTimeoutMs = 10_000, onUnservedHead }: MixedOptions,
  ) {
    this.#handler = handler
    this.#http1 = createHttp1({ maxHeaderBytes, headerTimeoutMs, onUnservedHead })
    this.#http2 = createHttp2({ maxHeaderBytes, headerTimeoutMs })
    this.#server = tls
      ? createTls({
          ...tls,
          ALPNProtocols: ['h2', 'http/1.1'],
          noDelay: true,
          handshakeTimeout: headerTimeoutMs / 2,
        })
      : createServer({ noDelay: true })
    this.#server.on('connection', (socket: Socket) => {
      this.#keep(socket)
      if (tls) return
      this.#await(socket, headerTimeoutMs)
      readProtocol(socket, (protocol, seen) => this.#serve(socket, protocol, seen))
    })
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      this.#keep(socket)
      this.#await(socket, headerTimeoutMs / 2)
      this.#serve(socket, socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1')
    })
    this.#server.on('tlsClientError', (_error, socket: TLSSocket) => socket.destroy())
    this.#answerRequests(maxHeaderBytes)
  }

  get address(): string {
    return this.#address
  }

  async listen(address: ListenPlace): Promise<void> {
    if ('socket' in address) {
      await listenAtFile(this.#server, address.socket)
      this.#address = address.socket
    } else {
      const { host, port } = address
      this.#server.listen(port, host)
      await once(this.#server, 'listening').catch((error: unknown) => {
        throw portError(port, error)
      })
      this.#address = shownAddress({ host, port: (this.#server.address() as AddressInfo).port })
    }
    this.#server.on('error', () => undefined)
  }

  replaceTls(tls: NonNullable<MixedOptions['tls']>): void {
    if ('setSecureContext' in this.#server) (this.#server as TlsServer).setSecureContext(tls)
  }

  async stop(): Promise<void> {
    await this.drain(0)
  }

  async drain(ms: number): Promise<void> {
    this.#isEnding = true
    this.#closed ??= new Promise((done) => this.#server.close(() => done()))
    for (const res of this.#answers) closeAfter(res)
    for (const session of this.#sessions) session.close()
    const timers = [
      setTimeout(() => this.#dropIdle(), Math.min(ms, inFlightMs)),
      setTimeout(() => this.#dropAll(), ms),
    ]
    await this.#closed
    for (const timer of timers) clearTimeout(timer)
    this.#http1.close()
  }

  #dropIdle(): void {
    for (const socket of this.#deadlines.keys()) socket.destroy()
    this.#http1.closeIdleConnections()
  }

  #dropAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Closes a connection unless its first head is complete in time. */
  #await(socket: Socket, ms: number): void {
    this.#deadlines.set(
      socket,
      setTimeout(() => socket.destroy(), ms),
    )
    socket.once('close', () => this.#meet(socket))
  }

  /** The first head of a connection is complete. */
  #meet(socket: Socket): void {
    clearTimeout(this.#deadlines.get(socket))
    this.#deadlines.delete(socket)
  }

  /** @param seen bytes that were taken from the socket */
  #serve(socket: Socket, protocol: 'http/1.1' | 'h2', seen?: Buffer): void {
    if (protocol === 'http/1.1') {
      this.#http1.emit('connection', socket)
      // Not put back into the socket, and not before the socket flows: it would read on behind the back of node:http, which
      // then could not stop it, and the whole content of a request that nobody reads would be in memory.
      if (seen) process.nextTick(() => socket.emit('data', seen))
      return
    }
    if (seen) socket.unshift(seen)
    this.#opening = socket
    this.#http2.emit('connection', socket)
    this.#opening = undefined
  }

  #answerRequests(maxHeaderBytes: number): void {
    const serve = (req: IncomingMessage, res: ServerResponse): void => {
      const session = sessionOf(req)
      const socket = session ? this.#socketOf.get(session) : req.socket
      if (socket) this.#meet(socket)
      if (session) serveNow(req, res)
      else inTurn(req, res, () => serveNow(req, res))
    }
    const serveNow = (req: IncomingMessage, res: ServerResponse): void => {
      this.#answers.add(res)
      res.once('close', () => this.#answers.delete(res))
      // Node reads nothing more from a connection that could have been upgraded.
      if (this.#isEnding || req.headers.upgrade !== undefined) closeAfter(res)
      this.#handler(req, res)
    }
    const serveExpecting = (req: IncomingMessage, res: ServerResponse): void => {
      continueOnceRead(req, res)
      serve(req, res)
    }
    this.#http1.on('request', serve)
    this.#http1.on('checkContinue', serveExpecting)
    // Any other Expect: Node would answer 417 by itself, before the handler has decided.
    this.#http1.on('checkExpectation', serve)
    const serveShort =
      (next: MixedHandler): MixedHandler =>
      (req, res) => {
        if (isLongHead(req.rawHeaders, maxHeaderBytes)) res.writeHead(431).end()
        else next(req, res)
      }
    this.#http2.on('request', serveShort(serve) as never)
    this.#http2.on('checkContinue', serveShort(serveExpecting) as never)
    this.#http2.on('checkExpectation', serveShort(serve) as never)
    this.#http2.on('session', (session) => {
      this.#sessions.add(session)
      if (this.#opening) this.#socketOf.set(session, this.#opening)
      session.once('close', () => this.#sessions.delete(session))
    })
  }
}

function sessionOf(req: object): ServerHttp2Session | undefined {
  return (req as { readonly stream?: { readonly session?: ServerHttp2Session } }).stream?.session
}

/** The connection of HTTP/1.1 is closed after this answer. */
function closeAfter(res: ServerResponse): void {
  if ('stream' in res) return
  res.shouldKeepAlive = false
  const { socket } = res.req
  if (res.headersSent) res.once('finish', () => socket.end())
}
