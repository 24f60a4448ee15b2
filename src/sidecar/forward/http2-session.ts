import type { ClientHttp2Session } from 'node:http2'
import { UpstreamError } from './exchange.js'

/** A connection, from its first moment. */
export class Http2Session {
  readonly #session: ClientHttp2Session
  readonly #connected: Promise<void>
  #isUsable = true
  #streams = 0

  constructor(session: ClientHttp2Session, connectMs: number) {
    this.#session = session
    this.#connected = new Promise((done, fail) => {
      const timer = setTimeout(() => {
        fail(new UpstreamError('unreachable', 'the server behind takes no connection in time'))
        session.destroy()
      }, connectMs)
      session.once('connect', () => {
        clearTimeout(timer)
        done()
      })
      session.on('error', (error: NodeJS.ErrnoException) => {
        this.#isUsable = false
        fail(
          new UpstreamError(
            'unreachable',
            `the server behind cannot be reached (${error.code ?? 'no reason'})`,
          ),
        )
      })
      session.once('close', () => {
        clearTimeout(timer)
        this.#isUsable = false
        fail(new UpstreamError('unreachable', 'the server behind cannot be reached'))
      })
    })
    this.#connected.catch(() => undefined)
    session.once('goaway', () => (this.#isUsable = false))
    session.on('stream', (stream) => stream.close())
  }

  hasRoom(): boolean {
    if (!this.#isUsable || this.#session.closed || this.#session.destroyed) return false
    const most = this.#session.connecting
      ? 100
      : (this.#session.remoteSettings.maxConcurrentStreams ?? Infinity)
    return this.#streams < most
  }

  /** Takes a place for one stream, until it is released. */
  async take(): Promise<ClientHttp2Session> {
    this.#streams++
    try {
      await this.#connected
    } catch (error) {
      this.release()
      throw error
    }
    return this.#session
  }

  release(): void {
    this.#streams--
  }
}
