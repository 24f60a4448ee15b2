import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { Readable } from 'node:stream'
import { UpstreamError, type IncomingAnswer, type OutgoingRequest, type Upstream } from './exchange.js'
import { endToEnd, groupOf, withoutFields } from './fields.js'
import { cancel, Http2Content, rawOf } from './http2-content.js'
import { Http2Session } from './http2-session.js'
import { Patience, sendContent } from './send-content.js'
import { onThisMachine } from './this-machine.js'
import { defaultConnectMs, type UpstreamAddress, type UpstreamOptions } from './upstream-options.js'

/** See `grpcUpstream`. */
export class Http2Upstream implements Upstream {
  readonly protocol = 'h2'
  readonly origin: string
  readonly #socket: string | undefined
  readonly #authority: string
  readonly #scheme: string
  readonly #options: UpstreamOptions
  readonly #sessions = new Map<ClientHttp2Session, Http2Session>()

  constructor(address: UpstreamAddress, options: UpstreamOptions) {
    this.#socket = 'socket' in address ? address.socket : undefined
    const url = 'socket' in address ? new URL('http://localhost') : address
    this.origin = url.origin
    this.#authority = url.host
    this.#scheme = url.protocol.slice(0, -1)
    this.#options = options
  }

  async send(request: OutgoingRequest, signal: AbortSignal): Promise<IncomingAnswer> {
    for (let tries = 0; ; tries++) {
      signal.throwIfAborted()
      const open = this.#open()
      const session = await open.take()
      if (signal.aborted) open.release()
      signal.throwIfAborted()
      try {
        return await this.#sendOn(session, () => open.release(), request, signal)
      } catch (error) {
        if (!(error instanceof RefusedStream) || signal.aborted) throw error
        const isUntouched = !(request.content instanceof Readable) || !request.content.readableDidRead
        if (tries >= 2 || !isUntouched) throw new UpstreamError('cut', messages.refused)
      }
    }
  }

  close(): void {
    for (const session of this.#sessions.keys()) session.close()
    this.#sessions.clear()
  }

  #open(): Http2Session {
    let open = [...this.#sessions.values()].find((one) => one.hasRoom())
    if (!open) {
      const session = this.#connect()
      open = new Http2Session(session, this.#options.timeouts?.connectMs ?? defaultConnectMs)
      this.#sessions.set(session, open)
      const drop = (): void => void this.#sessions.delete(session)
      session.once('close', drop)
      session.once('goaway', drop)
      session.once('error', drop)
    }
    return open
  }

  #connect(): ClientHttp2Session {
    const { ca, cert, key } = this.#options
    const path = this.#socket
    return connectHttp2(this.origin, {
      ...(ca !== undefined && { ca: ca as string }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      // Said, since the environment could switch it off else.
      rejectUnauthorized: true,
      ...(path !== undefined && { createConnection: () => connectSocket(path) }),
      ...(path === undefined && onThisMachine(new URL(this.origin).hostname)),
      settings: { enablePush: false },
    })
  }

  #sendOn(
    session: ClientHttp2Session,
    release: () => void,
    { method, target, fields, authority, content, trailers }: OutgoingRequest,
    signal: AbortSignal,
  ): Promise<IncomingAnswer> {
    return new Promise((done, fail) => {
      const passed = withoutFields(endToEnd(fields), (name) => name === 'host' || name === 'expect')
      const stream = requestOn(
        session,
        release,
        {
          ...groupOf(passed),
          ...(content instanceof Uint8Array && { 'content-length': String(content.length) }),
          te: 'trailers',
          ':method': method,
          ':path': target,
          ':scheme': this.#scheme,
          ':authority': authority ?? this.#authority,
        },
        {
          endStream: content === undefined,
          waitForTrailers: trailers !== undefined && content !== undefined,
        },
      )
      const abort = (): void => cancel(stream)
      signal.addEventListener('abort', abort)
      let isSlow = false
      let isAnswered = false
      const answering = new Patience(this.#options.timeouts?.answerMs ?? 0, () => {
        isSlow = true
        abort()
      })
      stream.on('error', () => undefined)
      stream.once('close', () => {
        release()
        answering.stop()
        signal.removeEventListener('abort', abort)
        if (isAnswered) return
        if (isSlow) fail(new UpstreamError('slow', messages.slow))
        else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) fail(new RefusedStream())
        else fail(new UpstreamError('cut', messages.cut))
      })
      stream.once('response', (headers, flags, ...raw: unknown[]) => {
        answering.stop()
        isAnswered = true
        const isBare = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
        const arriving = new Http2Content(stream)
        done({
          status: headers[':status'] ?? 0,
          fields: withoutFields(rawOf(raw[0]), (name) => name.startsWith(':')),
          content: arriving,
          trailers: () => arriving.trailers,
          isBare,
        })
      })
      stream.once('wantTrailers', () => stream.sendTrailers(groupOf(endToEnd(trailers?.() ?? []))))
      if (content === undefined) answering.start()
      else {
        sendContent(stream, content, {
          onTheirTurn: () => answering.start(),
          onOurTurn: () => answering.stop(),
          beforeEnd: () => undefined,
          onCut: abort,
        })
      }
    })
  }
}

const messages = {
  slow: 'the server behind has not answered in time',
  cut: 'the server behind has closed the stream before its answer',
  refused: 'the server behind takes no more streams',
  unreachable: 'the server behind cannot be reached',
}

/** Fails if the connection has ended meanwhile, or with fields that HTTP/2 cannot carry. */
function requestOn(
  session: ClientHttp2Session,
  release: () => void,
  headers: OutgoingHttpHeaders,
  options: ClientSessionRequestOptions,
): ClientHttp2Stream {
  try {
    return session.request(headers, options)
  } catch (error) {
    release()
    const { code = '' } = error as NodeJS.ErrnoException
    if (/SESSION|STREAM/.test(code)) throw new RefusedStream()
    throw new UpstreamError('unsendable', `the request cannot be sent by HTTP/2 (${code})`)
  }
}

class RefusedStream extends Error {}
