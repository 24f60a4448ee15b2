import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { decodeUtf8 } from '../../core/encoding.js'
import { TOTPError } from '../../core/errors.js'
import type { CliContext } from '../context.js'
import { pathFrom } from './path.js'

/** Far longer than any seed or token, and short enough to read into memory. */
const longestSecret = 64 * 1024
/** Far longer than any other file that a command reads. */
const longestFile = 64 * 1024 * 1024
const pieceBytes = 1024 * 1024

/**
 * Reads a file that the command line names.
 *
 * @param what names it in the error, for example `the file given to --ca`
 * @param most the longest file that is read, in bytes
 * @throws {TOTPError} `ERR_FILE_UNREADABLE`. It does not quote the path, since people paste seeds and key URIs where a
 *   file name belongs.
 */
export function readGivenFile(
  context: CliContext,
  what: string,
  path: string,
  most: number = longestFile,
): Buffer {
  const file = pathFrom(context, path)
  let bytes: Buffer | undefined
  try {
    bytes = readUpTo(file, most)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw unreadable(`${what} cannot be read (${code ?? 'unknown reason'}); check its path`)
  }
  if (bytes) return bytes
  throw tooLong(what, most)
}

/** Reads a file; undefined if it is longer than that. A device such as /dev/zero never ends, and has no size. */
function readUpTo(path: string, most: number): Buffer | undefined {
  const file = openSync(path, 'r')
  try {
    const pieces: Buffer[] = []
    for (let length = 0; length <= most;) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, most + 1 - length))
      const read = readSync(file, piece)
      if (read === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, read))
      length += read
    }
    return undefined
  } finally {
    closeSync(file)
  }
}

/** Whether a file can be read once only: standard input, or a pipe. */
export const isReadOnce = (context: CliContext, path: string): boolean =>
  path === '-' || isPipe(pathFrom(context, path))

/** Whether this is a named pipe, or one of the shell's, as in `import <(pass show totp/uris)`. Reading tells what else is wrong. */
function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO()
  } catch {
    return false
  }
}

/** Reads a pipe, one byte beyond the most at least. It may never be written to: nothing may block here. */
async function readPipe(path: string, most: number, signal: AbortSignal): Promise<Buffer> {
  const { Socket } = await import('node:net')
  const socket = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), signal })
  const pieces: Buffer[] = []
  let length = 0
  // Leaving the loop closes the pipe.
  for await (const piece of socket as AsyncIterable<Buffer>) {
    pieces.push(piece)
    length += piece.length
    if (length > most) break
  }
  return Buffer.concat(pieces)
}

/** The same, or standard input for `-`. */
export async function readGiven(
  context: CliContext,
  what: string,
  path: string,
  most: number = longestFile,
): Promise<Buffer> {
  const file = path === '-' ? path : pathFrom(context, path)
  if (path !== '-' && !isPipe(file)) return readGivenFile(context, what, path, most)
  const bytes =
    path === '-'
      ? await context.readStdin(most)
      : await context.unlessInterrupted(readPipe(file, most, context.signal)).catch((error: unknown) => {
          context.signal.throwIfAborted()
          throw unreadable(
            `${what} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}); check its path`,
          )
        })
  if (bytes.length <= most) return bytes
  throw tooLong(what, most)
}

const tooLong = (what: string, most: number): TOTPError =>
  unreadable(`${what} is longer than ${most / 1024 / 1024} MiB; check its path`)

/** The same as text. @throws {TOTPError} `ERR_USAGE` when it is not UTF-8 */
export function readGivenText(context: CliContext, what: string, path: string): string {
  return decodeUtf8(
    readGivenFile(context, what, path),
    what,
    (message) => new TOTPError('ERR_USAGE', message),
  )
}

/** Reads the file of a `--…-file` option: one seed or token. */
export async function readSecret(context: CliContext, option: string, path: string): Promise<string> {
  const what = fileGivenTo(option)
  return secretIn(await readGiven(context, what, path), what)
}

/** The same at once, of a file that is not {@link isReadOnce}. */
export function readSecretFile(context: CliContext, option: string, path: string): string {
  const what = fileGivenTo(option)
  return secretIn(readGivenFile(context, what, path), what)
}

const fileGivenTo = (option: string): string => `the file given to ${option}`

function secretIn(bytes: Buffer, what: string): string {
  if (bytes.length > longestSecret) throw unreadable(`${what} is too long to be one seed or token`)
  return decodeUtf8(bytes, what, unreadable)
}

function unreadable(message: string): TOTPError {
  return new TOTPError('ERR_FILE_UNREADABLE', message)
}
