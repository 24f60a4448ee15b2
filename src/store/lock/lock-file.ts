import type { Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { closeQuietly, openExisting, type FileSystem } from '../file-system.js'
import { errnoOf } from '../system-error.js'
import { isObject } from '../schema.js'
import type { ProcessIdentity } from './process-identity.js'

/** What a lock file says about its holder. Nothing in it is secret. */
export interface Holder extends ProcessIdentity {
  readonly host: string
  /** Tells the holds of one process apart. */
  readonly nonce: string
}

/** A lock file as it was seen once. */
export interface LockFile {
  readonly path: string
  readonly number: number
  /** Undefined when the file could not be read or made no sense. */
  readonly holder: Holder | undefined
  /** Changes whenever the holder shows that it is alive: which file it is, and when it was touched. */
  readonly heartbeat: string
}

/** What lies in the store's folder beside the store. */
export interface Sidecars {
  readonly locks: readonly LockFile[]
  /** Paths of temporary files. */
  readonly temporaries: readonly string[]
}

const longestHolder = 4096

const lockPrefix = (storePath: string): string => `.${basename(storePath)}.lock-`

export const lockPath = (storePath: string, number: number): string =>
  join(dirname(storePath), lockPrefix(storePath) + String(number))

/** Lists the lock files and temporary files of a store. Those that vanish meanwhile are left out. */
export function listSidecars(storePath: string, temporaryPrefix: string, fs: FileSystem): Sidecars {
  const folder = dirname(storePath)
  const prefix = lockPrefix(storePath)
  const names = fs.readdirSync(folder)
  return {
    temporaries: names.filter((name) => name.startsWith(temporaryPrefix)).map((name) => join(folder, name)),
    locks: names.flatMap((name) => {
      const number = name.startsWith(prefix) ? name.slice(prefix.length) : ''
      if (!/^[1-9][0-9]{0,14}$/.test(number)) return []
      return readLockFile(join(folder, name), Number(number), fs) ?? []
    }),
  }
}

/** One lock file; undefined when it is gone. */
export function readLockFile(path: string, number: number, fs: FileSystem): LockFile | undefined {
  try {
    const stats = fs.lstatSync(path)
    return { path, number, holder: readHolder(path, fs), heartbeat: heartbeatOf(stats) }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

export function formatHolder(holder: Holder): string {
  return `${JSON.stringify(holder)}\n`
}

function heartbeatOf({ ino, mtimeMs }: Stats): string {
  return `${ino} ${mtimeMs}`
}

/** Undefined for whatever no holder wrote: a stranger's file, or one that is still being written. */
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

function parseHolder(text: string): Holder | undefined {
  const given: unknown = JSON.parse(text)
  if (!isObject(given)) return undefined
  const { place, pid, startedAt, host, nonce } = given
  if (!Number.isSafeInteger(pid) || (pid as number) < 1) return undefined
  if (typeof startedAt !== 'string' || typeof host !== 'string' || typeof nonce !== 'string') return undefined
  return { place: typeof place === 'string' ? place : undefined, pid: pid as number, startedAt, host, nonce }
}
