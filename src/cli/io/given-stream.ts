import { constants, createReadStream, openSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { TOTPError } from '../../core/errors.js'
import type { CliContext } from '../context.js'
import type { System } from '../system.js'
import { pathFrom } from './path.js'

/**
 * Reads a file that the command line names piece by piece, or standard input for `-`. Throws when
 * {@link CliContext.signal} is aborted.
 *
 * @param what names it in the error, for example `the file given to --events`
 * @throws {TOTPError} `ERR_FILE_UNREADABLE`, without the path, in which people paste secrets
 */
export async function* givenChunks(
  context: CliContext,
  system: System,
  what: string,
  path: string,
): AsyncGenerator<Uint8Array, void, void> {
  const { signal } = context
  let stream: Readable | undefined
  const stop = (): void => void stream?.destroy(new Error('interrupted'))
  try {
    signal.throwIfAborted()
    signal.addEventListener('abort', stop)
    stream = path === '-' ? system.stdin() : await openFile(pathFrom(context, path))
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>)
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  } catch (error) {
    signal.throwIfAborted()
    const { code } = error as NodeJS.ErrnoException
    throw new TOTPError(
      'ERR_FILE_UNREADABLE',
      `${what} cannot be read (${code ?? 'unknown reason'}); check its path`,
    )
  } finally {
    signal.removeEventListener('abort', stop)
    stream?.destroy()
  }
}

/** A pipe may never be written to, and opening it must not block a thread: see `readGiven`. */
async function openFile(path: string): Promise<Readable> {
  if (!statSync(path).isFIFO()) return createReadStream(path)
  const { Socket } = await import('node:net')
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) })
}
