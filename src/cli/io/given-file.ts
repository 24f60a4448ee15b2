import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { TOTPError } from '../../core/errors.js'
import type { CliContext } from '../context.js'

/** Far more than any seed or token, far less than would hurt. */
const longestSecret = 64 * 1024

/**
 * Reads a file that the command line names.
 *
 * @param what says which, `the file given to --ca` for example
 * @throws {TOTPError} `ERR_FILE_UNREADABLE`. It does not quote the path: people paste a seed or a key URI where a
 *   file's name belongs.
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

/** What a `--…-file` option points to: one seed or token. */
export async function readSecret(context: CliContext, option: string, path: string): Promise<string> {
  const what = `the file given to ${option}`
  const bytes = await readGiven(context, what, path)
  if (bytes.length <= longestSecret) return bytes.toString()
  throw unreadable(`${what} is too long to be one seed or token`)
}

function unreadable(message: string): TOTPError {
  return new TOTPError('ERR_FILE_UNREADABLE', message)
}
