import { readFileSync } from 'node:fs'
import { TOTPError } from '../core/errors.js'

/** Reads a file that an option names. @throws {TOTPError} `ERR_FILE_UNREADABLE` with the option and the path */
export function readNamedFile(option: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown error')
    throw new TOTPError('ERR_FILE_UNREADABLE', `${option} ${path} cannot be read: ${why}`)
  }
}
