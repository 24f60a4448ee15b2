import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Load } from './server-process.js'

const connections = 50

/** Keeps 50 connections busy, each with one request at a time. Raw sockets, so that it needs less than the server. */
export class HttpLoad implements Load<Buffer> {
  readonly #sockets: readonly Socket[]

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets
  }

  static async to(port: number): Promise<HttpLoad> {
    const sockets = Array.from({ length: connections }, () =>
      connect({ port, host: '127.0.0.1', noDelay: true }),
    )
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    return new HttpLoad(sockets)
  }

  /** Sends them all and waits for their answers; any that is not 2xx ends the benchmark. */
  async send(requests: readonly Buffer[]): Promise<void> {
    let next = 0
    const take = (): Buffer | undefined => requests[next++]
    await Promise.all(this.#sockets.map((socket) => exchange(socket, take)))
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

function exchange(socket: Socket, take: () => Buffer | undefined): Promise<void> {
  return new Promise((done, fail) => {
    let answer = ''
    const end = (error?: Error): void => {
      socket.off('data', read).off('error', end).off('close', closed)
      if (error) fail(error)
      else done()
    }
    const closed = (): void => end(new Error('the server closed the connection'))
    const turn = (): void => {
      const request = take()
      if (request) socket.write(request)
      else end()
    }
    const read = (chunk: Buffer): void => {
      answer += chunk.toString('latin1')
      if (!isWhole(answer)) return
      if (!answer.startsWith('HTTP/1.1 2')) {
        end(new Error(`answered ${answer.slice(0, 12)}`))
        return
      }
      answer = ''
      turn()
    }
    socket.on('data', read).on('error', end).on('close', closed)
    if (socket.destroyed) closed()
    turn()
  })
}

function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n')
  if (head < 0) return false
  const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0)
  return answer.length >= head + 4 + length
}
