import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The answer to the last request of each connection. */
const lastAnswers = new WeakMap<Socket, ServerResponse>()

/**
 * Serves the requests of one connection of HTTP/1.1 one after the other. What follows a request whose connection is closed
 * with its answer is never served: where it begins may be told in two ways. Node would serve it before it closes.
 */
export function inTurn(req: IncomingMessage, res: ServerResponse, serve: () => void): void {
  const { socket } = req
  const before = lastAnswers.get(socket)
  lastAnswers.set(socket, res)
  if (before === undefined || before.closed) {
    serve()
    return
  }
  // One that is not served never closes, and nor is what follows it.
  before.once('close', () => {
    if (!socket.destroyed && !socket.writableEnded) serve()
  })
}
