import { TOTPError, isTOTPError } from '../core/errors.js'
import type { Roster } from '../core/roster.js'
import { replaceFile, writeNewFile } from './atomic-write.js'
import { fileSystem } from './file-system.js'
import { acquireLock, type Lock, type LockOptions } from './lock/lock.js'
import { isEncrypted, plaintext, refuseUnverified, seal, unseal, type Protection } from './protection.js'
import { readStoreBytes, type ReadOptions } from './read-file.js'
import { formatStore, parseStore } from './store-file.js'
import { translateErrors } from './system-error.js'

/** What a store holds, and how its file is protected. */
export interface Opened {
  readonly roster: Roster
  readonly protection: Protection
}

export interface ChangeOptions extends ReadOptions {
  readonly lock?: LockOptions
}

export interface CreateOptions extends ChangeOptions {
  /** Puts a new store in an old one's place, and keeps the old file beside it. */
  readonly replace?: boolean
  /** Without it the store is plaintext. */
  readonly protection?: Protection
  /** Names the backup. */
  readonly now: Date
}

/**
 * Reads a store. It takes no lock: what it sees is always whole.
 *
 * @throws {TOTPError} `ERR_STORE_MISSING`, `ERR_STORE_PERMISSIONS`, `ERR_STORE_UNREADABLE`,
 *   `ERR_STORE_INVALID`, `ERR_STORE_VERSION`; for an encrypted one `ERR_STORE_KEY_MISSING`, `ERR_STORE_KEY_WRONG`
 */
export async function readStore(path: string, options: ReadOptions = {}): Promise<Roster> {
  const { text } = await unseal(readStoreBytes(path, options), options.keys)
  return parseStore(text).roster
}

/** The same, with how it is protected. */
export async function openStore(path: string, options: ReadOptions = {}): Promise<Opened> {
  return openBytes(readStoreBytes(path, options), options)
}

/**
 * Makes a store, with mode 0600.
 *
 * @returns the path of the file that the old store is kept in, if there was one
 * @throws {TOTPError} `ERR_STORE_EXISTS` when something is there and `replace` is not set;
 *   `ERR_STORE_UNWRITABLE`, or `ERR_FILE_UNWRITABLE` for the copy; `ERR_STORE_LOCKED`; and what {@link readStoreBytes}
 *   throws for the old file, which is left alone then
 */
export async function createStore(
  path: string,
  roster: Roster,
  options: CreateOptions,
): Promise<{ backup?: string }> {
  refuseExisting(path, options)
  const bytes = await close({ roster, protection: options.protection ?? plaintext })
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
 * @throws {TOTPError} what {@link readStore} throws; `ERR_STORE_LOCKED`; `ERR_STORE_UNWRITABLE`; and whatever
 *   `change` throws
 */
export async function updateStore(
  path: string,
  options: ChangeOptions,
  change: (roster: Roster) => Roster | undefined,
): Promise<Roster> {
  const { roster } = await changeStore(path, options, ({ roster: before, protection }) => {
    const after = change(before) ?? before
    return after === before ? undefined : { roster: after, protection }
  })
  return roster
}

/**
 * Changes how a store is protected, and nothing else, in the same way as {@link updateStore}.
 *
 * @returns the protection that the store now has
 * @throws {TOTPError} as {@link updateStore}; `ERR_RECIPIENT_INVALID`
 */
export async function protectStore(
  path: string,
  options: ChangeOptions,
  change: (protection: Protection) => Protection | undefined,
): Promise<Protection> {
  const { protection } = await changeStore(path, options, ({ roster, protection: before }) => {
    const after = change(before)
    return after === undefined || after === before ? undefined : { roster, protection: after }
  })
  return protection
}

async function changeStore(
  path: string,
  options: ChangeOptions,
  change: (before: Opened) => Opened | undefined,
): Promise<Opened> {
  // Before the lock, so that a store that is missing or refused leaves no trace in its folder, and so that
  // nobody else waits while a passphrase is typed.
  const seen = readStoreBytes(path, options)
  const early = isEncrypted(seen) ? await openBytes(seen, options) : undefined
  return withLock(path, options, async (lock) => {
    const bytes = readStoreBytes(path, options)
    const before = early && Buffer.compare(bytes, seen) === 0 ? early : await openBytes(bytes, options)
    const after = change(before)
    if (after) write(path, await close(after), lock, options)
    return after ?? before
  })
}

async function withLock<T>(
  path: string,
  { lock: options, fs }: ChangeOptions,
  work: (lock: Lock) => T | Promise<T>,
): Promise<T> {
  const lock = await acquireLock(path, { fs, ...options })
  try {
    return await work(lock)
  } finally {
    lock.release()
  }
}

function write(path: string, bytes: Uint8Array, lock: Lock, { fs }: ChangeOptions): void {
  replaceFile(path, bytes, { beforeRename: () => lock.assertHeld(), fs })
}

function isThere(path: string, { fs = fileSystem }: ChangeOptions): boolean {
  return translateErrors(
    'ERR_STORE_UNWRITABLE',
    `cannot write ${path}`,
    () => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
  )
}

function refuseExisting(path: string, options: CreateOptions): void {
  if (options.replace || !isThere(path, options)) return
  throw new TOTPError('ERR_STORE_EXISTS', `there is a store at ${path} already; nothing was changed`)
}

/** Copies the old file beside itself, as it is, under a name that no file has. */
function keepOld(path: string, { now, fs }: CreateOptions): string {
  const bytes = readStoreBytes(path, { allowInsecurePermissions: true, fs })
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '')
  for (let count = 1; ; count++) {
    const backup = `${path}.bak-${time}${count === 1 ? '' : `-${count}`}`
    try {
      writeNewFile(backup, bytes, { force: false, fs })
      return backup
    } catch (error) {
      if (!isTOTPError(error) || error.code !== 'ERR_FILE_EXISTS') throw error
    }
  }
}

async function openBytes(bytes: Uint8Array, { keys }: ReadOptions): Promise<Opened> {
  const { text, protectionWith } = await unseal(bytes, keys)
  const { roster, recipients } = parseStore(text)
  return { roster, protection: await protectionWith(recipients) }
}

async function close({ roster, protection }: Opened): Promise<Uint8Array> {
  refuseUnverified(protection)
  const listed = protection.kind === 'recipients' ? protection.recipients : []
  return seal(formatStore(roster, listed), protection)
}
