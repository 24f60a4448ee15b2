import type { Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { linkFile, temporaryPrefix } from '../atomic-write.js'
import {
  closeQuietly,
  openExisting,
  openNew,
  privateMode,
  removeQuietly,
  type FileSystem,
} from '../file-system.js'
import { errnoOf } from '../system-error.js'
import type { ProcessIdentity } from './process-identity.js'

/** The content of a lock file. Nothing in it is secret. */
export interface Holder extends ProcessIdentity {
  readonly host: string
  /** Distinguishes the locks that one process takes. */
  readonly nonce: string
}

/** A lock file as it was read once. */
export interface LockFile {
  readonly path: string
  readonly number: number
  /** Undefined when the file could not be read or parsed. */
  readonly holder: Holder | undefined
  /** The file's inode and time: changes whenever the holder shows that it is alive. */
  readonly heartbeat: string
}

/** The files that belong to a store, in its folder. */
export interface Sidecars {
  readonly locks: readonly LockFile[]
  /** Paths of temporary files. */
  readonly temporaries: readonly string[]
}

const longestHolder = 4096

const lockPrefix = (storePath: string): string => `.${basename(storePath)}.lock-`

export const lockPath = (storePath: string, number: number): string =>
  join(dirname(storePath), lockPrefix(storePath) + String(number))

/** Lists the lock files and temporary files of a store. Skips files that vanish meanwhile. */
export function listSidecars(storePath: string, fs: FileSystem): Sidecars {
  const folder = dirname(storePath)
  const prefix = lockPrefix(storePath)
  const temporary = temporaryPrefix(storePath)
  const names = fs.readdirSync(folder)
  return {
    temporaries: names.filter((name) => name.startsWith(temporary)).map((name) => join(folder, name)),
    locks: names.flatMap((name) => {
      const number = name.startsWith(prefix) ? name.slice(prefix.length) : ''
      if (!/^[1-9][0-9]{0,14}$/.test(number)) return []
      return readLockFile(join(folder, name), Number(number), fs) ?? []
    }),
  }
}

/** Reads one lock file; undefined when it is gone. */
export function readLockFile(path: string, number: number, fs: FileSystem): LockFile | undefined {
  try {
    const stats = fs.lstatSync(path)
    return { path, number, holder: readHolder(path, fs), heartbeat: heartbeatOf(stats) }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function heartbeatOf({ ino, mtimeMs }: Stats): string {
  return `${ino} ${mtimeMs}`
}

/** Undefined for a file that no holder wrote, or that is still being written. */
function readHolder(path: string, fs: FileSystem): Holder | undefined {
  try {
    const file = fs.openSync(path, openExisting)
    try {
      const stats = fs.fstatSync(file)
      if (!stats.isFile() || stats.size > longestHolder) return undefined
      return parseHolder(fs.readFileSync(file, 'utf8'))
    } finally {
      closeQuietly(file, fs)
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw error
    return undefined
  }
}

/** @throws for what is no JSON, and for null */
function parseHolder(text: string): Holder | undefined {
  const { place, pid, startedAt, host, nonce } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>
  if (!Number.isSafeInteger(pid) || (pid as number) < 1) return undefined
  if (typeof startedAt !== 'string' || typeof host !== 'string' || typeof nonce !== 'string') return undefined
  return { place: typeof place === 'string' ? place : undefined, pid: pid as number, startedAt, host, nonce }
}

/**
 * Creates a lock file. Where the file system has hard links, it is complete from its first moment.
 *
 * @returns its descriptor; undefined when another process was faster
 */
export function createLockFile(
  storePath: string,
  number: number,
  holder: Holder,
  fs: FileSystem,
): number | undefined {
  const path = lockPath(storePath, number)
  const temporary = join(dirname(storePath), temporaryPrefix(storePath) + holder.nonce)
  const file = writeHolder(temporary, holder, fs)
  try {
    if (linkFile(temporary, path, fs)) return file
  } catch (error) {
    // A network file system may have created the link and lost the answer: link(2) says to look.
    if (fs.fstatSync(file).nlink === 2) return file
    closeQuietly(file, fs)
    // ENOENT: a new holder took our temporary file for a leftover.
    if (['EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  } finally {
    removeQuietly(temporary, fs)
  }
  closeQuietly(file, fs)
  return writeHolderUnlessThere(path, holder, fs)
}

/** Without hard links another process can see the file half-written: its holder then cannot be looked up. */
function writeHolderUnlessThere(path: string, holder: Holder, fs: FileSystem): number | undefined {
  try {
    return writeHolder(path, holder, fs)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return undefined
    throw error
  }
}

function writeHolder(path: string, holder: Holder, fs: FileSystem): number {
  const file = fs.openSync(path, openNew, privateMode)
  try {
    fs.fchmodSync(file, privateMode)
    fs.writeFileSync(file, `${JSON.stringify(holder)}\n`)
    return file
  } catch (error) {
    closeQuietly(file, fs)
    removeQuietly(path, fs)
    throw error
  }
}
