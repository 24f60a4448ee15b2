import { fstatSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'

const everyMs = 200

/**
 * Notices on Linux that the reader of standard output has gone, as `head` does when it has read enough, while nothing is
 * written. A write would fail, but the next one may be a minute away.
 *
 * @returns what ends the watch
 */
export function whenReaderLeaves(left: () => void): () => void {
  const state = readerState()
  const timer = setInterval(() => {
    const now = state()
    if (now !== 'there') clearInterval(timer)
    if (now === 'gone') left()
  }, everyMs)
  return () => clearInterval(timer)
}

/** Unknown for a file or a terminal, and where the system cannot tell. */
type ReaderState = 'there' | 'gone' | 'unknown'

function readerState(): () => ReaderState {
  const stats = process.platform === 'linux' ? fstatSync(1) : undefined
  // What Node.js starts has sockets in place of pipes. Writing nothing to one sends nothing.
  if (stats?.isSocket()) return () => (fails('EPIPE', () => writeSync(1, Buffer.alloc(0))) ? 'gone' : 'there')
  if (stats?.isFIFO()) return pipeState(readlinkSync('/proc/self/fd/1'))
  return () => 'unknown'
}

/**
 * Node.js cannot poll the writing end of a pipe, so the descriptors of its readers are looked at. A reader that belongs
 * to another user, as behind `sudo`, cannot be seen: then nothing is known.
 */
function pipeState(pipe: string): () => ReaderState {
  let readers = readersOf(pipe)
  let last: ReaderState = readers.length > 0 ? 'there' : 'unknown'
  return () => {
    if (last !== 'there') return last
    const states = readers.map((reader) => stateOf(reader, pipe))
    if (states.includes('unknown')) return (last = 'unknown')
    if (states.includes('there')) return last
    readers = readersOf(pipe)
    return (last = readers.length > 0 ? 'there' : 'gone')
  }
}

/** The descriptors, as paths in `/proc`, through which other processes read a pipe. */
function readersOf(pipe: string): string[] {
  const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  return others.flatMap((process) => {
    try {
      return readdirSync(`/proc/${process}/fd`)
        .map((fd) => `/proc/${process}/fd/${fd}`)
        .filter((path) => stateOf(path, pipe) === 'there' && isReading(path))
    } catch {
      return []
    }
  })
}

function stateOf(path: string, pipe: string): ReaderState {
  try {
    return readlinkSync(path) === pipe ? 'there' : 'gone'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'unknown' : 'gone'
  }
}

/** The last octal digit of the flags is the access mode, apart from bits that mean something else. */
function isReading(path: string): boolean {
  try {
    const [, flags = '1'] =
      /^flags:\s*(\d+)/m.exec(readFileSync(path.replace('/fd/', '/fdinfo/'), 'utf8')) ?? []
    return (parseInt(flags, 8) & 3) !== 1
  } catch {
    return false
  }
}

function fails(expected: string, attempt: () => unknown): boolean {
  try {
    attempt()
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === expected
  }
}
