import { TOTPError, isTOTPError } from '../core/errors.js'
import { previousPath } from './previous.js'
import { isEncrypted } from './protection.js'
import { fileSystem, type FileSystem } from './file-system.js'

/**
 * Reads the content of a store; to an error that it is damaged adds what helps.
 *
 * @throws {TOTPError} what `read` throws
 */
export async function withRemedy<T>(
  path: string,
  bytes: Uint8Array,
  read: () => Promise<T>,
  fs: FileSystem = fileSystem,
): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!isTOTPError(error) || error.code !== 'ERR_STORE_INVALID') throw error
    throw new TOTPError(error.code, `${error.message}; ${remedyFor(path, isEncrypted(bytes), fs)}`, {
      cause: error.cause,
    })
  }
}

function remedyFor(path: string, encrypted: boolean, fs: FileSystem): string {
  const ways = [
    ...(isThere(previousPath(path), fs) ? ['run `a2a-totp undo` for the store before its last change'] : []),
    ...(encrypted ? [] : ['correct it']),
    'restore it from a backup',
  ]
  return encrypted ? ways.join(', or ') : `${ways.join(', or ')}; \`a2a-totp doctor\` checks it`
}

function isThere(path: string, fs: FileSystem): boolean {
  try {
    return fs.lstatSync(path).isFile()
  } catch {
    return false
  }
}
