import { A2aTotpError, isA2aTotpError } from '../core/errors.js'
import type { Roster } from '../core/peer.js'
import { replaceFile, writeNewFile } from './atomic-write.js'
import { explain, fileSystem } from './file-system.js'
import type { Lock } from './held-lock.js'
import { acquireLock, type LockOptions } from './lock.js'
import { readStoreBytes, type ReadOptions } from './read-file.js'
import { formatStore, parseStore } from './store-file.js'

export interface ChangeOptions extends ReadOptions {
  readonly lock?: LockOptions
}

export interface CreateOptions extends ChangeOptions {
  /** Puts a new store in an old one's place, and keeps the old file beside it. */
  readonly replace?: boolean
  /** Names the backup. */
  readonly now: Date
}

/**
 * Reads a store. It takes no lock: what it sees is always whole.
 *
 * @throws {A2aTotpError} `ERR_STORE_MISSING`, `ERR_STORE_PERMISSIONS`, `ERR_STORE_UNREADABLE`,
 *   `ERR_STORE_INVALID`, `ERR_STORE_VERSION`
 */
export function readStore(path: string, options: ReadOptions = {}): Roster {
  return parseStore(decode(readStoreBytes(path, options)))
}

/**
 * Makes a store, with mode 0600.
 *
 * @returns the path of the file that the old store is kept in, if there was one
 * @throws {A2aTotpError} `ERR_STORE_EXISTS` when something is there and `replace` is not set;
 *   `ERR_STORE_UNWRITABLE`, or `ERR_FILE_UNWRITABLE` for the copy; `ERR_STORE_LOCKED`; and what {@link readStoreBytes} throws for the old file, which is
 *   left alone then
 */
export async function createStore(
  path: string,
  roster: Roster,
  options: CreateOptions,
): Promise<{ backup?: string }> {
  const bytes = encode(formatStore(roster))
  refuseExisting(path, options)
  return withLock(path, options, (lock) => {
    refuseExisting(path, options)
    const backup = isThere(path, options) ? keepOld(path, options) : undefined
    write(path, bytes, lock, options)
    return backup === undefined ? {} : { backup }
  })
}

/**
 * Changes a store, as one step to all other processes: reads it under the lock, asks `change` for the new roster,
 * and writes that. When `change` gives back nothing or what it was given, or throws, nothing is written.
 *
 * @returns the roster that the store now holds
 * @throws {A2aTotpError} what {@link readStore} throws; `ERR_STORE_LOCKED`; `ERR_STORE_UNWRITABLE`; and whatever
 *   `change` throws
 */
export async function updateStore(
  path: string,
  options: ChangeOptions,
  change: (roster: Roster) => Roster | undefined,
): Promise<Roster> {
  // Asked before the lock, so that a store that is missing or refused leaves no trace in its folder.
  readStoreBytes(path, options)
  return withLock(path, options, (lock) => {
    const before = readStore(path, options)
    const after = change(before) ?? before
    if (after !== before) write(path, encode(formatStore(after)), lock, options)
    return after
  })
}

async function withLock<T>(
  path: string,
  { lock: options, fs }: ChangeOptions,
  work: (lock: Lock) => T,
): Promise<T> {
  const lock = await acquireLock(path, { ...(fs ? { fs } : {}), ...options })
  try {
    return work(lock)
  } finally {
    lock.release()
  }
}

function write(path: string, bytes: Uint8Array, lock: Lock, { fs }: ChangeOptions): void {
  replaceFile(path, bytes, { beforeRename: () => lock.assertHeld(), ...(fs ? { fs } : {}) })
}

function isThere(path: string, { fs = fileSystem }: ChangeOptions): boolean {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw new A2aTotpError('ERR_STORE_UNWRITABLE', `cannot write ${path}: ${explain(error)}`, {
      cause: error,
    })
  }
}

function refuseExisting(path: string, options: CreateOptions): void {
  if (options.replace || !isThere(path, options)) return
  throw new A2aTotpError('ERR_STORE_EXISTS', `there is a store at ${path} already; nothing was changed`)
}

/** Copies the old file beside itself, as it is, under a name that no file has. */
function keepOld(path: string, { now, fs }: CreateOptions): string {
  const bytes = readStoreBytes(path, { allowInsecurePermissions: true, ...(fs ? { fs } : {}) })
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '')
  for (let count = 1; ; count++) {
    const backup = `${path}.bak-${time}${count === 1 ? '' : `-${count}`}`
    try {
      writeNewFile(backup, bytes, { force: false, ...(fs ? { fs } : {}) })
      return backup
    } catch (error) {
      if (!isA2aTotpError(error) || error.code !== 'ERR_FILE_EXISTS') throw error
    }
  }
}

/** Between the bytes on the disk and the JSON text. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new A2aTotpError('ERR_STORE_INVALID', 'the store is not UTF-8 text; restore it from a backup')
  }
}

function encode(text: string): Uint8Array {
  return Buffer.from(text)
}
