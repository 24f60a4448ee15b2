import { fstatSync, statSync, writeSync } from 'node:fs'
import type { CliStream } from './output.js'

/**
 * Standard output or standard error, for text.
 *
 * A pipe or a file is written to straight away: to open `process.stdout` for one loads Node's network modules, a sixth
 * of the time of a whole `node -e 0`. A terminal is the stream of Node's own.
 *
 * @param fail is told why a text could not be written
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
        // Somebody else made the pipe non-blocking, and it is full. Node's stream can wait.
        if (failure.code === 'EAGAIN') return (stream = open()).write(rest)
        fail(failure)
      }
      return true
    },
  }
}

/** Any character device but `/dev/null`; `node:tty`, which could tell, loads those modules as well. */
function mayBeTerminal(fd: number): boolean {
  if (process.platform === 'win32') return true
  const stats = fstatSync(fd)
  return stats.isCharacterDevice() && stats.rdev !== statSync('/dev/null').rdev
}
