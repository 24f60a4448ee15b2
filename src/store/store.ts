import { TOTPError } from '../core/errors.js'
import type { Roster } from '../core/roster.js'
import { replaceFile } from './atomic-write.js'
import { acquireLock, type Lock, type LockOptions } from './lock/lock.js'
import { dropPrevious, keepPrevious } from './previous.js'
import { dropsReaders, isEncrypted, refuseUnverified, type Protection } from './protection.js'
import { readStoreBytes, type ReadOptions } from './read-file.js'
import { withRemedy } from './repair.js'
import { seal, unseal } from './sealing.js'
import { formatStore, parseStore } from './store-file.js'

/** What a store holds, and how its file is protected. */
export interface Opened {
  readonly roster: Roster
  readonly protection: Protection
}

export interface ChangeOptions extends ReadOptions {
  readonly lock?: LockOptions
  /**
   * The serial of the store as the same command wrote it before. Where it is still that one, the previous store stays as it
   * is: the one before the command, not before its last step.
   */
  readonly goesOnFrom?: number | undefined
  /** Whether the store as it was is kept beside it, where everybody who could read it may read the new one. By default it is. */
  readonly keepsPrevious?: boolean
}

/**
 * Reads a store. Takes no lock: a store is replaced as a whole, so a reader never sees half a change.
 *
 * @throws {TOTPError} `ERR_STORE_MISSING`, `ERR_STORE_PERMISSIONS`, `ERR_STORE_UNREADABLE`,
 *   `ERR_STORE_INVALID`, `ERR_STORE_VERSION`; for an encrypted one `ERR_STORE_KEY_MISSING`, `ERR_STORE_KEY_WRONG`
 */
export async function readStore(path: string, options: ReadOptions = {}): Promise<Roster> {
  const bytes = readStoreBytes(path, options)
  return withRemedy(
    path,
    bytes,
    async () => parseStore((await unseal(bytes, options.keys)).text).roster,
    options.fs,
  )
}

/** Like {@link readStore}, with how the store is protected. */
export async function openStore(path: string, options: ReadOptions = {}): Promise<Opened> {
  return openBytes(path, readStoreBytes(path, options), options)
}

/**
 * Changes a store as one step: reads it under the lock, passes its roster to `change`, and writes the roster that
 * `change` returns. Writes nothing when `change` returns undefined or the same roster, or throws.
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
  const after = await changeStore(path, options, ({ roster, protection }) => ({
    roster: change(roster) ?? roster,
    protection,
  }))
  return after.roster
}

/**
 * Changes how a store is protected, and nothing else, as {@link updateStore} changes its roster.
 *
 * @returns the protection that the store now has
 * @throws {TOTPError} as {@link updateStore}; `ERR_RECIPIENT_INVALID`
 */
export async function protectStore(
  path: string,
  options: ChangeOptions,
  change: (protection: Protection) => Protection | undefined,
): Promise<Protection> {
  const after = await changeStore(path, options, ({ roster, protection }) => ({
    roster,
    protection: change(protection) ?? protection,
  }))
  return after.protection
}

/** Writes only what differs from what was read, and keeps what was read beside it. */
async function changeStore(
  path: string,
  options: ChangeOptions,
  change: (before: Opened) => Opened,
): Promise<Opened> {
  // Read before the lock is taken, so that a store that is missing or refused leaves no trace in its folder, and no
  // other process waits while a passphrase is typed.
  const seen = readStoreBytes(path, options)
  const early = isEncrypted(seen) ? await openBytes(path, seen, options) : undefined
  return withLock(path, options, async (lock) => {
    const bytes = readStoreBytes(path, options)
    const before = early && Buffer.compare(bytes, seen) === 0 ? early : await openBytes(path, bytes, options)
    const after = change(before)
    if (after.roster === before.roster && after.protection === before.protection) return before
    const written = after.roster === before.roster ? after : withNextSerial(after, before)
    const sealedBytes = await sealed(written)
    const keeps = (options.keepsPrevious ?? true) && !dropsReaders(before.protection, after.protection)
    const goesOn = options.goesOnFrom !== undefined && options.goesOnFrom === before.roster.serial
    write(path, sealedBytes, lock, options, () => {
      if (!keeps) dropPrevious(path, options.fs)
      else if (!goesOn) keepPrevious(path, bytes, options.fs)
    })
    return written
  })
}

/** The serial counts changes of what is inside, so that files made from the store can be put in order. */
function withNextSerial(after: Opened, { roster: { serial = 0 } }: Opened): Opened {
  // A change may bring a serial of its own: that of a server file which was imported.
  return { ...after, roster: { ...after.roster, serial: Math.max(serial + 1, after.roster.serial ?? 0) } }
}

/** Does some work while no other process can change the store. */
export async function withLock<T>(
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

function openBytes(path: string, bytes: Uint8Array, options: ReadOptions): Promise<Opened> {
  return withRemedy(path, bytes, () => unsealed(bytes, options), options.fs)
}

/** Reads the bytes of a store. @throws {TOTPError} as {@link openStore}, without a remedy for a damaged one */
export async function unsealed(bytes: Uint8Array, { keys }: ReadOptions): Promise<Opened> {
  const { text, protectionWith } = await unseal(bytes, keys)
  const { roster, recipients } = parseStore(text)
  return { roster, protection: await protectionWith(recipients) }
}

/** Returns the bytes of a store. */
export async function sealed({ roster, protection }: Opened): Promise<Uint8Array> {
  refuseUnverified(protection)
  const listed = protection.kind === 'recipients' ? protection.recipients : []
  return seal(formatStore(roster, listed), protection)
}

/**
 * A process that was suspended for long may have lost the lock, so it is checked right before the change.
 *
 * @param keepPrevious called when the new file is on the disk, so that a disk that is full loses nothing
 */
export function write(
  path: string,
  bytes: Uint8Array,
  lock: Lock,
  { fs }: ChangeOptions,
  keepPrevious: () => void,
): void {
  replaceFile(path, bytes, {
    beforeRename: () => {
      lock.assertHeld()
      keepPrevious()
      lock.assertHeld()
    },
    fs,
  })
}

/** The error of a store that is there already. */
export const storeExists = (path: string): TOTPError =>
  new TOTPError('ERR_STORE_EXISTS', `a store already exists at ${path}; nothing was changed`)
