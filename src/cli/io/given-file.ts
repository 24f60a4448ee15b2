import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { TOTPError } from '../../core/errors.js'
import type { CliContext } from '../context.js'

/** Far longer than any seed or token, and short enough to read into memory. */
const longestSecret = 64 * 1024

/**
 * Reads a file that the command line names.
 *
 * @param what names it in the error, for example `the file given to --ca`
 * @throws {TOTPError} `ERR_FILE_UNREADABLE`. It does not quote the path, since people paste seeds and key URIs where a
 *   file name belongs.
 */
export function readGivenFile({ cwd }: CliContext, what: string, path: string): Buffer {
  try {
    return readFileSync(resolve(cwd, path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw unreadable(`${what} cannot be read (${code ?? 'unknown reason'}); check its path`)
  }
}

/** The same, or standard input for `-`. */
export async function readGiven(context: CliContext, what: string, path: string): Promise<Buffer> {
  return path === '-' ? context.readStdin() : readGivenFile(context, what, path)
}

/** Reads the file of a `--…-file` option: one seed or token. */
export async function readSecret(context: CliContext, option: string, path: string): Promise<string> {
  const what = `the file given to ${option}`
  const bytes = await readGiven(context, what, path)
  if (bytes.length <= longestSecret) return bytes.toString()
  throw unreadable(`${what} is too long to be one seed or token`)
}

function unreadable(message: string): TOTPError {
  return new TOTPError('ERR_FILE_UNREADABLE', message)
}
