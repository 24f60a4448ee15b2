import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Answers `Expect: 100-continue` once the content of the request is really read, and never after the answer has begun: who
 * refuses a request does not ask for its content.
 */
export function continueOnceRead(req: IncomingMessage, res: ServerResponse): void {
  // Whatever reads a stream calls this: pipes, listeners, iterators.
  const read = req.read.bind(req)
  req.read = (size?: number): unknown => {
    delete (req as { read?: unknown }).read
    if (!res.headersSent && !res.destroyed) res.writeContinue()
    return read(size)
  }
}
