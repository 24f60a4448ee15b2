import { fstatSync, statSync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { CliStream } from './output.js'

/**
 * Opens standard output or standard error for text.
 *
 * Pipes and files are written to directly: opening `process.stdout` for one loads Node's network modules, which takes a
 * sixth of the time of `node -e 0`. For a terminal Node's own stream is used.
 *
 * @param fail called when a text could not be written
 */
export function openOutput(fd: 1 | 2, fail: (error: NodeJS.ErrnoException) => void): CliStream {
  const open = (): NodeJS.WriteStream => (fd === 1 ? process.stdout : process.stderr).on('error', fail)
  if (mayBeTerminal(fd)) return open()
  let stream: NodeJS.WriteStream | undefined
  return {
    write(text) {
      if (stream) return stream.write(text)
      let rest = Buffer.from(text)
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
      } catch (error) {
        const failure = error as NodeJS.ErrnoException
        // Another process made the pipe non-blocking, and it is full. Node's stream can wait.
        if (failure.code === 'EAGAIN') return (stream = open()).write(rest)
        fail(failure)
      }
      return true
    },
  }
}

/** Any character device but `/dev/null`; `node:tty`, which would know, loads those modules as well. */
function mayBeTerminal(fd: number): boolean {
  if (process.platform === 'win32') return true
  const stats = fstatSync(fd)
  return stats.isCharacterDevice() && stats.rdev !== statSync('/dev/null').rdev
}

/**
 * Reads standard input to its end, or until it is longer than that many bytes. Throws when the signal is aborted before
 * that.
 */
export async function readAll(stdin: Readable, signal: AbortSignal, most = Infinity): Promise<Buffer> {
  signal.throwIfAborted()
  signal.addEventListener('abort', () => stdin.destroy(new Error('interrupted')))
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stdin as AsyncIterable<Uint8Array>) {
    const piece = Buffer.from(chunk)
    chunks.push(piece)
    length += piece.length
    if (length > most) break
  }
  return Buffer.concat(chunks)
}
