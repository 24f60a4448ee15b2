import { TOTPError, isTOTPError } from '../core/errors.js'
import { replaceFile } from './atomic-write.js'
import { dropPrevious, previousPath } from './previous.js'
import { dropsReaders, isEncrypted, type Protection } from './protection.js'
import { readStoreBytes } from './read-file.js'
import { formatStore, serialAtSight } from './store-file.js'
import { sealed, unsealed, withLock, type ChangeOptions, type Opened } from './store.js'

/** What an undo would do, as the two files were when it was looked at. */
export interface UndoPlan {
  /** Undefined when the store is damaged: then nobody can tell what would change. */
  readonly current: Opened | undefined
  /** What is wrong with a damaged store. */
  readonly damage?: string
  /** What the store would hold: what was kept, with a serial of its own. */
  readonly restored: Opened
  /** The bytes of both files. */
  readonly seen: { readonly current: Uint8Array; readonly previous: Uint8Array }
}

/**
 * Reads a store and what was kept of it before its last change. Changes nothing.
 *
 * @throws {TOTPError} `ERR_NOTHING_TO_UNDO` when nothing was kept, or the store is the same; what `openStore` throws, of
 *   either file. A store that is only damaged is no error.
 */
export async function planUndo(path: string, options: ChangeOptions): Promise<UndoPlan> {
  const seen = { current: readStoreBytes(path, options), previous: readPrevious(path, options) }
  const { current, damage } = await unsealed(seen.current, options).then(
    (opened) => ({ current: opened, damage: undefined }),
    (error: unknown) => {
      if (!isTOTPError(error) || error.code !== 'ERR_STORE_INVALID') throw error
      return { current: undefined, damage: error.message }
    },
  )
  const previous = await unsealed(seen.previous, options).catch((error: unknown) => {
    if (!isTOTPError(error)) throw error
    throw new TOTPError(error.code, `the previous store cannot be put back: ${error.message}`, {
      cause: error.cause,
    })
  })
  const opensToMore = current
    ? !sameKey(previous.protection, current.protection) &&
      dropsReaders(previous.protection, current.protection)
    : isEncrypted(seen.current) && !isEncrypted(seen.previous)
  if (opensToMore) {
    throw new TOTPError(
      'ERR_STORE_INVALID',
      `${previousPath(path)} can be read by others than the store, so it is not put back; remove it`,
    )
  }
  if (current && isSame(current, previous)) throw nothing()
  const serial = Math.max(serialIn(current, seen.current), previous.roster.serial ?? 0) + 1
  return { current, damage, restored: { ...previous, roster: { ...previous.roster, serial } }, seen }
}

/**
 * Puts back what was kept, once: the store is the old one or the new one at every moment, and nothing is kept after it.
 *
 * @returns what is wrong if the file that was put back could not be removed
 * @throws {TOTPError} `ERR_NOTHING_TO_UNDO` when another process was faster; `ERR_STORE_LOCKED`, also when another change
 *   came in between; `ERR_STORE_UNWRITABLE`
 */
export async function undoStore(
  path: string,
  options: ChangeOptions,
  { restored, seen }: UndoPlan,
): Promise<string | undefined> {
  const bytes = await sealed(restored)
  return withLock(path, options, (lock) => {
    const [current, previous] = [readStoreBytes(path, options), readPrevious(path, options)]
    if (!isEqual(current, seen.current) || !isEqual(previous, seen.previous)) {
      throw new TOTPError(
        'ERR_STORE_LOCKED',
        'another process changed the store in the meantime; nothing was undone, try again',
      )
    }
    replaceFile(path, bytes, { beforeRename: () => lock.assertHeld(), fs: options.fs })
    try {
      dropPrevious(path, options.fs)
    } catch (error) {
      if (isTOTPError(error)) return error.message
      throw error
    }
    return undefined
  })
}

function readPrevious(path: string, options: ChangeOptions): Uint8Array {
  try {
    return readStoreBytes(previousPath(path), options)
  } catch (error) {
    if (isTOTPError(error) && error.code === 'ERR_STORE_MISSING') throw nothing()
    throw error
  }
}

/** Whether they differ in nothing but the serial: after a kill, what was put back may still be there. */
function isSame(one: Opened, other: Opened): boolean {
  const textOf = ({ roster, protection }: Opened): string => {
    const listed = protection.kind === 'recipients' ? protection.recipients : []
    return formatStore({ ...roster, serial: undefined }, listed)
  }
  return one.protection.kind === other.protection.kind && textOf(one) === textOf(other)
}

/** A passphrase that opens both. */
function sameKey(one: Protection, other: Protection): boolean {
  return one.kind === 'passphrase' && other.kind === 'passphrase' && one.passphrase === other.passphrase
}

function serialIn(current: Opened | undefined, bytes: Uint8Array): number {
  return current ? (current.roster.serial ?? 0) : serialAtSight(bytes)
}

const isEqual = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

function nothing(): TOTPError {
  return new TOTPError(
    'ERR_NOTHING_TO_UNDO',
    'there is nothing to undo: only the last change can be undone, once, and not one that took access away from readers of the store',
  )
}
