import type { Stats } from 'node:fs'
import { A2aTotpError, isA2aTotpError } from '../core/errors.js'
import { closeQuietly, errnoOf, explain, fileSystem, openExisting, type FileSystem } from './file-system.js'

export interface ReadOptions {
  /** Takes a store that others may read, or that another user owns. A link is refused all the same. */
  readonly allowInsecurePermissions?: boolean
  readonly fs?: FileSystem
}

/**
 * The bytes of a plaintext store, once it is sure that it is a regular file, the caller's own, and closed to
 * others. What was checked is what is read: it is opened first. On Windows, modes cannot be checked.
 *
 * @throws {A2aTotpError} `ERR_STORE_MISSING`, `ERR_STORE_PERMISSIONS` (with the command that mends it),
 *   `ERR_STORE_INVALID` when it is no regular file, `ERR_STORE_UNREADABLE` with the cause.
 */
export function readStoreBytes(path: string, options: ReadOptions = {}): Uint8Array {
  const { allowInsecurePermissions = false, fs = fileSystem } = options
  const file = open(path, fs)
  try {
    refuseUnsafe(path, fs.fstatSync(file), allowInsecurePermissions)
    return fs.readFileSync(file)
  } catch (error) {
    throw isA2aTotpError(error) ? error : unreadable(path, error)
  } finally {
    closeQuietly(file, fs)
  }
}

function open(path: string, fs: FileSystem): number {
  try {
    return fs.openSync(path, openExisting)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw new A2aTotpError('ERR_STORE_MISSING', `no store at ${path}; run \`a2a-totp init\` first`)
    }
    // FreeBSD says EMLINK where the others say ELOOP.
    if (errno === 'ELOOP' || errno === 'EMLINK') {
      throw new A2aTotpError(
        'ERR_STORE_PERMISSIONS',
        `the store ${path} is a link; name the file that it points to`,
      )
    }
    if (errno === 'ENXIO') throw notRegular(path)
    throw unreadable(path, error)
  }
}

function refuseUnsafe(path: string, stats: Stats, allowInsecure: boolean): void {
  if (!stats.isFile()) throw notRegular(path)
  if (allowInsecure || process.platform === 'win32') return
  if (stats.uid !== process.geteuid?.()) {
    throw new A2aTotpError(
      'ERR_STORE_PERMISSIONS',
      `the store ${path} belongs to another user (uid ${stats.uid}); run as that user, or take it over with chown`,
    )
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
    throw new A2aTotpError(
      'ERR_STORE_PERMISSIONS',
      `the store ${path} is open to other users (mode ${mode}); run: chmod 600 ${quoteForShell(path)}`,
    )
  }
}

function notRegular(path: string): A2aTotpError {
  return new A2aTotpError('ERR_STORE_INVALID', `the store ${path} is not a regular file; name one that is`)
}

function unreadable(path: string, error: unknown): A2aTotpError {
  return new A2aTotpError('ERR_STORE_UNREADABLE', `cannot read the store ${path}: ${explain(error)}`, {
    cause: error,
  })
}

function quoteForShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
