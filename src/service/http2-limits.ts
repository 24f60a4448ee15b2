import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { HeadLimits } from './http1-limits.js'

/** How many calls a client may have on one connection. */
const mostStreams = 256

/**
 * A server of HTTP/2 that is given its connections by `emit('connection')`. A head that is too long has its stream refused.
 * The library below reads no more from a connection that opens streams only to reset them; it is closed as a silent one.
 */
export function createHttp2({ maxHeaderBytes, headerTimeoutMs }: HeadLimits): Http2Server {
  const server = createServer({
    settings: { maxHeaderListSize: maxHeaderBytes, maxConcurrentStreams: mostStreams, enablePush: false },
  })
  server.on('sessionError', () => undefined)
  server.on('session', (session) => closeIfSilent(session, headerTimeoutMs))
  return server
}

/**
 * Whether a head is longer than it may be, counted as HTTP/2 does (RFC 9113 §6.5.2). The library below knows the limit only
 * once the client has confirmed it, which is after its first requests.
 */
export function isLongHead(rawHeaders: readonly string[], maxHeaderBytes: number): boolean {
  const overhead = 32
  const length = rawHeaders.reduce((sum, text) => sum + text.length + overhead / 2, 0)
  return length > maxHeaderBytes
}

/**
 * Closes a connection without calls whose client sends something that never becomes one, or has gone. Nothing may stand
 * between the frames of a head (RFC 9113 §6.10), so a client that is in the middle of one cannot answer a ping.
 */
function closeIfSilent(session: ServerHttp2Session, withinMs: number): void {
  let open = 0
  let seen = -1
  let isAsked = false
  session.on('stream', (stream) => {
    open++
    stream.once('close', () => open--)
  })
  const looks = setInterval(() => {
    // It is destroyed before it is closed, as long as its client keeps the connection; then nothing may be sent.
    if (session.destroyed) return
    const received = (session.socket as { bytesRead?: number } | undefined)?.bytesRead ?? 0
    if (open > 0) isAsked = false
    else if (isAsked) session.destroy()
    else if (received !== seen) {
      seen = received
      isAsked = session.ping(() => {
        isAsked = false
        seen = (session.socket as { bytesRead?: number } | undefined)?.bytesRead ?? seen
      })
    }
  }, withinMs / 2).unref()
  session.once('close', () => clearInterval(looks))
}
