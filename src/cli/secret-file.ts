import { readFileSync } from 'node:fs'
import { A2aTotpError } from '../core/errors.js'
import type { CliContext } from './context.js'

/** Far more than any seed or token, far less than would hurt. */
const longest = 64 * 1024

/**
 * Reads what a `--…-file` option points to; `-` is standard input.
 *
 * @throws {A2aTotpError} `ERR_FILE_UNREADABLE`. It names the option, not the path: people paste a seed where its
 *   file's name belongs.
 */
export async function readSecretFile(context: CliContext, option: string, path: string): Promise<string> {
  if (path === '-') return context.readStdin()
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length <= longest) return text
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new A2aTotpError(
      'ERR_FILE_UNREADABLE',
      `the file given to ${option} cannot be read (${code ?? 'unknown reason'}); give its path, or - for standard input`,
    )
  }
  throw new A2aTotpError(
    'ERR_FILE_UNREADABLE',
    `the file given to ${option} is too long to be one seed or token`,
  )
}
