import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TOTPError, type ErrorCode } from '../core/errors.js'
import {
  closeQuietly,
  fileSystem,
  openNew,
  privateMode,
  removeQuietly,
  type FileSystem,
} from './file-system.js'
import { errnoOf, translateErrors } from './system-error.js'

/** How the names of a file's temporary files start. A killed writer leaves one behind. */
export const temporaryPrefix = (path: string): string => `.${basename(path)}.tmp-`

/** Whether a name is that of a temporary file, of any file. */
export const isTemporary = (name: string): boolean => /^\..+\.tmp-[0-9a-f]{16,}$/.test(name)

export interface ReplaceOptions {
  /** Called right before the new file replaces the old one. Throws to cancel the change. */
  readonly beforeRename?: () => void
  readonly fs?: FileSystem
}

/**
 * Replaces a file, or creates it, as a whole or not at all: any reader, at any moment and after any crash, finds the
 * old content or the new one. The new file has mode 0600, whatever the umask and the old mode.
 *
 * @throws {TOTPError} `ERR_STORE_UNWRITABLE` with the cause. The old file is intact, and no temporary file is left.
 *   The one exception is the last step, the fsync of the folder: when it fails, the new file is in place already, and
 *   the message says so.
 */
export function replaceFile(path: string, content: Uint8Array, options: ReplaceOptions = {}): void {
  const { beforeRename, fs = fileSystem } = options
  writeWhole(path, fs, {
    content,
    code: 'ERR_STORE_UNWRITABLE',
    mode: () => privateMode,
    takeName(temporary) {
      beforeRename?.()
      fs.renameSync(temporary, path)
    },
  })
}

/**
 * Like {@link replaceFile}, for a file that is kept beside a store: what a killed writer leaves is cleaned up with what is
 * left of the store.
 *
 * @throws {TOTPError} `ERR_STORE_UNWRITABLE` with the cause
 */
export function replaceBeside(storePath: string, path: string, content: Uint8Array, fs: FileSystem): void {
  writeWhole(path, fs, {
    namedAfter: storePath,
    content,
    code: 'ERR_STORE_UNWRITABLE',
    mode: () => privateMode,
    takeName: (temporary) => fs.renameSync(temporary, path),
  })
}

export interface NewFileOptions {
  /** Allows replacing a regular file. */
  readonly force: boolean
  readonly fs?: FileSystem
}

/**
 * Writes a result or a backup to a file of its own, as a whole or not at all. A new file has mode 0600; one that
 * replaces another has the bits of 0600 that the old one had.
 *
 * @throws {TOTPError} `ERR_FILE_EXISTS` when something is there and `force` is not set, or when it is a link, a
 *   folder or a device; `ERR_FILE_UNWRITABLE` with the cause.
 */
export function writeNewFile(path: string, content: string | Uint8Array, options: NewFileOptions): void {
  const { force, fs = fileSystem } = options
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  writeWhole(path, fs, {
    content: bytes,
    code: 'ERR_FILE_UNWRITABLE',
    mode: () => modeFor(path, force, fs),
    takeName(temporary) {
      if (force) fs.renameSync(temporary, path)
      else publish(temporary, path, bytes, fs)
    },
  })
}

/**
 * Writes a report, over an older one, as a whole or not at all. A new file has mode 0600; one that replaces another has
 * its mode, so that whoever was allowed to read the reports still is, and nobody else.
 *
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` with the cause, and for a link, a folder or a device
 */
export function overwriteFile(path: string, content: string, fs: FileSystem = fileSystem): void {
  writeWhole(path, fs, {
    content: Buffer.from(content),
    code: 'ERR_FILE_UNWRITABLE',
    mode: () => modeOfReport(path, fs),
    takeName: (temporary) => fs.renameSync(temporary, path),
  })
}

/**
 * Checks that {@link overwriteFile} could write a file now, by creating one beside it and removing that.
 *
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` with the cause
 */
export function requireWritable(path: string, fs: FileSystem = fileSystem): void {
  translateErrors('ERR_FILE_UNWRITABLE', `cannot write ${path}`, () => {
    modeOfReport(path, fs)
    const temporary = temporaryOf(path)
    writeSynced(temporary, Buffer.alloc(0), privateMode, fs)
    fs.unlinkSync(temporary)
  })
}

interface Write {
  /** The file that the temporary one is named after, if not the path. */
  readonly namedAfter?: string
  readonly content: Uint8Array
  /** Of the error when a step fails. */
  readonly code: ErrorCode
  readonly mode: () => number
  /** Moves the temporary file to the path. */
  readonly takeName: (temporary: string) => void
}

/** A temporary file beside the path, on the disk before it takes the name; then the folder, which holds the name. */
function writeWhole(path: string, fs: FileSystem, write: Write): void {
  const { namedAfter = path, content, code, mode, takeName } = write
  translateErrors(code, `cannot write ${path}`, () => {
    const modeBits = mode()
    // Opened before anything is written, so that only its fsync can fail once the file has its name.
    const folder = openFolder(dirname(path), fs)
    try {
      const temporary = temporaryOf(namedAfter)
      writeSynced(temporary, content, modeBits, fs)
      try {
        takeName(temporary)
      } catch (error) {
        removeQuietly(temporary, fs)
        throw error
      }
      // The file is there: who is told that it was not written looks for the wrong fault.
      const written = `${path} was written, but a power failure may still undo that`
      translateErrors(code, written, () => syncFolder(folder, fs))
    } finally {
      if (folder !== undefined) closeQuietly(folder, fs)
    }
  })
}

const temporaryOf = (path: string): string =>
  join(dirname(path), temporaryPrefix(path) + randomBytes(8).toString('hex'))

/** Undefined on Windows, which can neither open nor fsync a folder. */
function openFolder(path: string, fs: FileSystem): number | undefined {
  if (process.platform === 'win32') return undefined
  return fs.openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
}

function syncFolder(folder: number | undefined, fs: FileSystem): void {
  if (folder === undefined) return
  try {
    fs.fsyncSync(folder)
  } catch (error) {
    // Some network file systems have no fsync for folders; they order such changes themselves.
    if (!isOneOf(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP')) throw error
  }
}

/** Writes a file that does not exist yet and makes sure that it is on the disk. Leaves none behind on failure. */
function writeSynced(path: string, content: Uint8Array, mode: number, fs: FileSystem): void {
  const file = fs.openSync(path, openNew, mode)
  let closed = false
  try {
    // The umask may have removed bits.
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

/** Moves a temporary file to its name, unless another file has that name. */
function publish(temporary: string, path: string, content: Uint8Array, fs: FileSystem): void {
  try {
    if (!linkFile(temporary, path, fs)) writeSynced(path, content, privateMode, fs)
  } catch (error) {
    if (isOneOf(error, 'EEXIST')) throw fileExists(path)
    throw error
  }
  removeQuietly(temporary, fs)
}

/**
 * Creates a second name for a file.
 *
 * @returns false when the file system has no hard links
 * @throws any other error of link(2), `EEXIST` above all
 */
export function linkFile(existing: string, path: string, fs: FileSystem): boolean {
  try {
    fs.linkSync(existing, path)
    return true
  } catch (error) {
    if (isOneOf(error, 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')) return false
    throw error
  }
}

function modeFor(path: string, force: boolean, fs: FileSystem): number {
  const present = fs.lstatSync(path, { throwIfNoEntry: false })
  if (present === undefined) return privateMode
  if (!force) throw fileExists(path)
  if (!present.isFile()) {
    throw new TOTPError('ERR_FILE_EXISTS', `${path} is not a regular file; pass another path`)
  }
  return present.mode & privateMode
}

function modeOfReport(path: string, fs: FileSystem): number {
  const present = fs.lstatSync(path, { throwIfNoEntry: false })
  if (present === undefined) return privateMode
  if (!present.isFile()) {
    throw new TOTPError('ERR_FILE_UNWRITABLE', `${path} is not a regular file; name another file`)
  }
  return present.mode & 0o666
}

function fileExists(path: string): TOTPError {
  return new TOTPError('ERR_FILE_EXISTS', `${path} already exists; pass another path, or --force`)
}

const isOneOf = (error: unknown, ...errnos: readonly string[]): boolean =>
  errnos.includes(errnoOf(error) ?? '')
