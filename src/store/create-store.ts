import { isTOTPError } from '../core/errors.js'
import type { Roster } from '../core/roster.js'
import { newestSerial } from '../core/server-file.js'
import { writeNewFile } from './atomic-write.js'
import { fileSystem } from './file-system.js'
import { dropPrevious, keepPrevious, previousPath } from './previous.js'
import { isEncrypted, plaintext, type Protection } from './protection.js'
import { readStoreBytes, type ReadOptions } from './read-file.js'
import { serialAtSight } from './store-file.js'
import { sealed, storeExists, unsealed, withLock, write, type ChangeOptions } from './store.js'
import { translateErrors } from './system-error.js'

export interface CreateOptions extends ChangeOptions {
  /** Allows replacing an existing store. The old file is kept beside the new one. */
  readonly replace?: boolean
  /** Plaintext by default. */
  readonly protection?: Protection
  /** Names the backup. */
  readonly now: Date
}

/**
 * Creates a store, with mode 0600. One that replaces another goes on with its serial, so that no agent takes the new server
 * file for an older one; `keys` open the old store for that, and without them an encrypted one is not looked into.
 *
 * @returns the path of the backup of the old store, if there was one, and the serial
 * @throws {TOTPError} `ERR_STORE_EXISTS` when something is there and `replace` is not set;
 *   `ERR_STORE_UNWRITABLE`, or `ERR_FILE_UNWRITABLE` for the backup; `ERR_STORE_LOCKED`; and what
 *   {@link readStoreBytes} throws for the old file, which then stays as it is
 */
export async function createStore(
  path: string,
  roster: Roster,
  options: CreateOptions,
): Promise<{ backup?: string; serial?: number }> {
  refuseExisting(path, options)
  const { protection = plaintext } = options
  return withLock(path, options, async (lock) => {
    refuseExisting(path, options)
    const old = isThere(path, options)
      ? readStoreBytes(path, { ...options, allowInsecurePermissions: true })
      : undefined
    const serial = old ? nextSerial(roster, await serialOf(old, options)) : roster.serial
    const bytes = await sealed({ roster: { ...roster, serial }, protection })
    if (!old) setPreviousAside(path, options)
    const backup = old && backUp(path, old, options)
    write(path, bytes, lock, options, () => {
      if (!old) return
      if (protection.kind === 'none' || isEncrypted(old)) keepPrevious(path, old, options.fs)
      else dropPrevious(path, options.fs)
    })
    return { backup, serial }
  })
}

/** Zero where the store cannot be read. */
async function serialOf(bytes: Uint8Array, options: ReadOptions): Promise<number> {
  try {
    return (await unsealed(bytes, options)).roster.serial ?? 0
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return serialAtSight(bytes)
  }
}

function nextSerial({ serial = 0 }: Roster, old: number): number {
  return Math.max(serial, Math.min(old + 1, newestSerial))
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
  throw storeExists(path)
}

/** A new store has no previous one: what is left of an older store becomes a backup of its own. */
function setPreviousAside(path: string, options: CreateOptions): void {
  const { fs = fileSystem } = options
  const previous = previousPath(path)
  const bytes = translateErrors('ERR_STORE_UNWRITABLE', `cannot set ${previous} aside`, () =>
    fs.lstatSync(previous, { throwIfNoEntry: false })?.isFile() ? fs.readFileSync(previous) : undefined,
  )
  if (bytes === undefined) return
  backUp(path, bytes, options)
  dropPrevious(path, fs)
}

/** Writes the bytes of an old file as they are, under a name that no file has. */
function backUp(path: string, bytes: Uint8Array, { now, fs }: CreateOptions): string {
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
