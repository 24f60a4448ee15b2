import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TOTPError } from '../core/errors.js'
import {
  closeQuietly,
  errnoOf,
  explain,
  fileSystem,
  openNew,
  privateMode,
  removeQuietly,
  type FileSystem,
} from './file-system.js'

/** Says where a temporary file of a file lies, and tells one from other files: a killed writer leaves one. */
export const temporaryPrefix = (path: string): string => `.${basename(path)}.tmp-`

/** Whether a file's name is that of a temporary file of any other. */
export const isTemporary = (name: string): boolean => /^\..+\.tmp-[0-9a-f]{16,}$/.test(name)

export interface ReplaceOptions {
  /** Asked right before the new file takes the old one's place; what it throws calls the change off. */
  readonly beforeRename?: () => void
  readonly fs?: FileSystem
}

/**
 * Puts new content in a file's place, whole or not at all: whoever looks, at any moment and after any crash,
 * finds the old file or the new one. The file is born with mode 0600, whatever the umask and the old mode.
 *
 * @throws {TOTPError} `ERR_STORE_UNWRITABLE` with the cause. The old file is intact, byte for byte, and no
 *   temporary file is left; but when the last step fails, the fsync of the folder, the new file is in place
 *   already and the message says so.
 */
export function replaceFile(path: string, content: Uint8Array, options: ReplaceOptions = {}): void {
  const { beforeRename, fs = fileSystem } = options
  const fail = (error: unknown): never => {
    throw new TOTPError('ERR_STORE_UNWRITABLE', `cannot write ${path}: ${explain(error)}`, {
      cause: error,
    })
  }
  inFolderOf(path, fs, fail, (syncFolder) => {
    const temporary = writeTemporary(path, content, privateMode, fs, fail)
    try {
      beforeRename?.()
      attempt(() => fs.renameSync(temporary, path), fail)
    } catch (error) {
      removeQuietly(temporary, fs)
      throw error
    }
    syncFolder((error) => {
      throw new TOTPError(
        'ERR_STORE_UNWRITABLE',
        `${path} was changed, but a power cut may still undo it: ${explain(error)}`,
        { cause: error },
      )
    })
  })
}

export interface NewFileOptions {
  /** Lets it replace a regular file that is there. */
  readonly force: boolean
  readonly fs?: FileSystem
}

/**
 * Writes a file of its own for a result or a backup, whole or not at all. It is born with mode 0600; one that
 * is replaced keeps no more of its mode than that, and never gains a bit.
 *
 * @throws {TOTPError} `ERR_FILE_EXISTS` when something is there and `force` is not set, or when it is a link, a
 *   folder or a device; `ERR_FILE_UNWRITABLE` with the cause.
 */
export function writeNewFile(path: string, content: string | Uint8Array, options: NewFileOptions): void {
  const { force, fs = fileSystem } = options
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const fail = (error: unknown): never => {
    throw new TOTPError('ERR_FILE_UNWRITABLE', `cannot write ${path}: ${explain(error)}`, { cause: error })
  }
  const mode = modeFor(path, force, fs, fail)
  inFolderOf(path, fs, fail, (syncFolder) => {
    const temporary = writeTemporary(path, bytes, mode, fs, fail)
    try {
      if (force) attempt(() => fs.renameSync(temporary, path), fail)
      else publish(temporary, path, bytes, fs, fail)
    } finally {
      removeQuietly(temporary, fs)
    }
    syncFolder(fail)
  })
}

/** Turns an error of the file system into one of ours. */
type Fail = (error: unknown) => never

function attempt<T>(call: () => T, fail: Fail): T {
  try {
    return call()
  } catch (error) {
    return fail(error)
  }
}

/** Opens the folder before anything is written, so that only its fsync can fail once the change is made. */
function inFolderOf(
  path: string,
  fs: FileSystem,
  fail: Fail,
  work: (syncFolder: (fail: Fail) => void) => void,
): void {
  // Windows can neither open nor fsync a folder.
  if (process.platform === 'win32') {
    work(() => undefined)
    return
  }
  const folder = attempt(() => fs.openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY), fail)
  try {
    work((failToSync) => {
      try {
        fs.fsyncSync(folder)
      } catch (error) {
        // Some network file systems have no fsync for folders; they order such changes themselves.
        if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) failToSync(error)
      }
    })
  } finally {
    closeQuietly(folder, fs)
  }
}

/** Writes a temporary file beside `path` and makes sure that it is on the disk. Leaves none behind on failure. */
function writeTemporary(path: string, content: Uint8Array, mode: number, fs: FileSystem, fail: Fail): string {
  const temporary = join(dirname(path), temporaryPrefix(path) + randomBytes(8).toString('hex'))
  attempt(() => writeExclusively(temporary, content, mode, fs), fail)
  return temporary
}

function writeExclusively(path: string, content: Uint8Array, mode: number, fs: FileSystem): void {
  const file = fs.openSync(path, openNew, mode)
  let closed = false
  try {
    // The umask may have taken bits away.
    fs.fchmodSync(file, mode)
    fs.writeFileSync(file, content)
    fs.fsyncSync(file)
    closed = true
    fs.closeSync(file)
  } catch (error) {
    if (!closed) closeQuietly(file, fs)
    removeQuietly(path, fs)
    throw error
  }
}

/** Gives a written file its name without ever taking the name from another file. */
function publish(temporary: string, path: string, content: Uint8Array, fs: FileSystem, fail: Fail): void {
  try {
    if (!linkFile(temporary, path, fs)) writeExclusively(path, content, privateMode, fs)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw fileExists(path)
    fail(error)
  }
}

/**
 * Gives a file a second name.
 *
 * @returns false when the file system has no hard links
 * @throws any other error of link(2), `EEXIST` above all
 */
export function linkFile(existing: string, path: string, fs: FileSystem): boolean {
  try {
    fs.linkSync(existing, path)
    return true
  } catch (error) {
    if (['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

function modeFor(path: string, force: boolean, fs: FileSystem, fail: Fail): number {
  const present = attempt(() => fs.lstatSync(path, { throwIfNoEntry: false }), fail)
  if (present === undefined) return privateMode
  if (!force) throw fileExists(path)
  if (!present.isFile()) {
    throw new TOTPError('ERR_FILE_EXISTS', `${path} is not a regular file; name another one`)
  }
  return present.mode & privateMode
}

function fileExists(path: string): TOTPError {
  return new TOTPError('ERR_FILE_EXISTS', `${path} exists already; name another file, or give --force`)
}
