import type { ServerResponse } from 'node:http'
import { endWithCaller } from '../scheme/granted-caller.js'
import { cancel, http2StreamOf } from './drain.js'
import type { Tied } from '../scheme/leases.js'
import type { Caller } from '../scheme/outcome.js'

/** How often an answer is looked at that had not begun when its caller's credentials ended, in milliseconds. */
const lookEveryMs = 100

/**
 * Cuts a stream off once its caller's credentials end, whoever writes it. It never ends cleanly: to its reader, a part
 * must not look like the whole.
 *
 * A call whose answer has not begun is finished, since its caller was let in; if that answer turns out to be a stream, it
 * is cut when it begins.
 */
export function cutWithCaller(caller: Caller, req: Received, res: ServerResponse): void {
  // An answer that a router made for an upgrade is never sent.
  if (req.upgrade === true && req.socket) closeWithCaller(caller, req.socket as Connection)
  else res.on('close', endWithCaller(caller, new OpenAnswer(req, res)))
}

/** What is used of a request. */
interface Received {
  /** False while it is being received. */
  readonly complete?: boolean
  /** True where the connection is handed over, as to a WebSocket. */
  readonly upgrade?: boolean
  readonly socket?: object | null
}

interface Connection {
  readonly destroyed: boolean
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Closes a connection that was handed over once its caller's credentials end. */
export function closeWithCaller(caller: Caller, connection: Connection): void {
  const tied = { end: () => void connection.destroy(), isOver: () => connection.destroyed }
  connection.once('close', endWithCaller(caller, tied))
}

/** A class, since this is created for each request. */
class OpenAnswer implements Tied {
  readonly #req: Received
  readonly #res: ServerResponse

  constructor(req: Received, res: ServerResponse) {
    this.#req = req
    this.#res = res
  }

  isOver(): boolean {
    return this.#res.writableEnded || this.#res.destroyed
  }

  end(): void {
    if (this.isOver()) return
    if (this.#isStream()) {
      cut(this.#res)
      return
    }
    const looks = setInterval(() => {
      if (this.isOver()) clearInterval(looks)
      else if (this.#isStream()) cut(this.#res)
    }, lookEveryMs).unref()
  }

  /** Whether the answer is open, or the request still is: a caller can also stream to the agent. */
  #isStream(): boolean {
    return this.#res.headersSent || isStillSent(this.#req)
  }
}

/** Over HTTP/2, `complete` means that the request was read. */
function isStillSent(req: Received): boolean {
  const stream = http2StreamOf(req)
  return stream ? stream.state.remoteClose === 0 : req.complete === false
}

/** Cuts an answer off, so that it does not look whole. */
export function cut(res: ServerResponse): void {
  const stream = http2StreamOf(res)
  if (stream) stream.close(cancel)
  else if (endsWithConnection(res)) res.socket?.resetAndDestroy()
  else res.destroy()
}

/**
 * Whether the end of the connection is the end of the body, as for clients of HTTP/1.0, such as nginx by default: then
 * only a reset shows that something is missing. (Over TLS that cannot be sent, and a missing close_notify shows it.)
 */
function endsWithConnection(res: ServerResponse): boolean {
  const chunked = (res as { chunkedEncoding?: boolean }).chunkedEncoding === true
  const encrypted = (res.socket as { encrypted?: boolean } | null)?.encrypted === true
  return !chunked && !encrypted && !res.hasHeader('content-length')
}
