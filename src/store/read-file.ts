import type { Stats } from 'node:fs'
import { TOTPError } from '../core/errors.js'
import { quoteForShell } from '../core/shell.js'
import { closeQuietly, fileSystem, openExisting, type FileSystem } from './file-system.js'
import { isEncrypted, type StoreKeys } from './protection.js'
import { errnoOf, translateErrors } from './system-error.js'

export interface ReadOptions {
  /** Accepts a store that others can read, or that another user owns; still refuses a link. */
  readonly allowInsecurePermissions?: boolean
  readonly fs?: FileSystem
  /** Needed for an encrypted store. */
  readonly keys?: StoreKeys
}

/**
 * Reads the bytes of a store after checking that it is a regular file, belongs to the user, and is not accessible to
 * others. An encrypted store may be readable by others, but not writable: anyone can encrypt for a recipient. The file
 * is opened before it is checked, so the file that was checked is the one that is read. On Windows, modes cannot be
 * checked.
 *
 * @throws {TOTPError} `ERR_STORE_MISSING`, `ERR_STORE_PERMISSIONS` (with the command that fixes it),
 *   `ERR_STORE_INVALID` when it is not a regular file, `ERR_STORE_UNREADABLE` with the cause.
 */
export function readStoreBytes(path: string, options: ReadOptions = {}): Uint8Array {
  const { allowInsecurePermissions = false, fs = fileSystem } = options
  return translateErrors('ERR_STORE_UNREADABLE', `cannot read the store ${path}`, () => {
    const file = open(path, fs)
    try {
      const stats = fs.fstatSync(file)
      if (!stats.isFile()) throw notRegular(path)
      if (allowInsecurePermissions || process.platform === 'win32') return fs.readFileSync(file)
      refuseForeign(path, stats)
      const bytes = fs.readFileSync(file)
      refuseOpen(path, stats, isEncrypted(bytes))
      return bytes
    } finally {
      closeQuietly(file, fs)
    }
  })
}

function open(path: string, fs: FileSystem): number {
  try {
    return fs.openSync(path, openExisting)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw new TOTPError(
        'ERR_STORE_MISSING',
        `no store at ${path}; run \`a2a-totp init\` first, or name one with --store`,
      )
    }
    // FreeBSD reports EMLINK where others report ELOOP.
    if (errno === 'ELOOP' || errno === 'EMLINK') {
      throw new TOTPError(
        'ERR_STORE_PERMISSIONS',
        `the store ${path} is a symbolic link; pass the path of the file it points to`,
      )
    }
    if (errno === 'ENXIO') throw notRegular(path)
    throw error
  }
}

function refuseForeign(path: string, { uid }: Stats): void {
  if (uid === process.geteuid?.()) return
  throw new TOTPError(
    'ERR_STORE_PERMISSIONS',
    `the store ${path} belongs to another user (uid ${uid}); run as that user, or change its owner with chown`,
  )
}

function refuseOpen(path: string, stats: Stats, encrypted: boolean): void {
  if ((stats.mode & (encrypted ? 0o022 : 0o077)) === 0) return
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  const remedy = encrypted ? 'chmod go-w' : 'chmod 600'
  throw new TOTPError(
    'ERR_STORE_PERMISSIONS',
    `the store ${path} is accessible to other users (mode ${mode}); run: ${remedy} ${quoteForShell(path)}`,
  )
}

function notRegular(path: string): TOTPError {
  return new TOTPError('ERR_STORE_INVALID', `the store ${path} is not a regular file; pass the path of one`)
}
