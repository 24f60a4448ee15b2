import { connect, type Socket } from 'node:net'

/** A connection that says byte for byte what it is told, and keeps what it hears. */
export class RawSocket {
  readonly socket: Socket
  /** Settles when the connection is over, with all that was heard. */
  readonly over: Promise<string>
  readonly #waiting = new Set<() => void>()
  #heard = ''

  constructor(to: { readonly port: number; readonly host?: string } | { readonly path: string }) {
    this.socket = connect({ host: '127.0.0.1', ...to })
    this.socket.setNoDelay(true)
    this.socket.on('error', () => undefined)
    this.socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1')
      for (const look of this.#waiting) look()
    })
    this.over = new Promise((done) => this.socket.once('close', () => done(this.#heard)))
  }

  get heard(): string {
    return this.#heard
  }

  /** In latin1. */
  say(...lines: string[]): this {
    this.socket.write(Buffer.from(lines.join('\r\n'), 'latin1'))
    return this
  }

  /** Settles when the text is among what was heard; fails if the connection ends before. */
  hears(text: string): Promise<string> {
    return new Promise((done, fail) => {
      const look = (): void => {
        if (!this.#heard.includes(text)) return
        this.#waiting.delete(look)
        done(this.#heard)
      }
      this.#waiting.add(look)
      look()
      void this.over.then(() => fail(new Error(`only heard ${JSON.stringify(this.#heard)}`)))
    })
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

/** Sends bytes, and returns what is answered until the connection is closed. */
export async function answerTo(port: number, ...lines: string[]): Promise<string> {
  using raw = new RawSocket({ port }).say(...lines)
  return await raw.over
}
