import { replaceBeside } from './atomic-write.js'
import { fileSystem, type FileSystem } from './file-system.js'
import { errnoOf, translateErrors } from './system-error.js'

/**
 * Where a store is kept as it was before its last change, for `undo`. Rules in `.gitignore` for backups cover it.
 */
export const previousPath = (storePath: string): string => `${storePath}.bak-prev`

/**
 * Keeps a store's bytes, protected as they are, with mode 0600.
 *
 * @throws {TOTPError} `ERR_STORE_UNWRITABLE`; what was kept before is intact
 */
export function keepPrevious(storePath: string, bytes: Uint8Array, fs: FileSystem = fileSystem): void {
  replaceBeside(storePath, previousPath(storePath), bytes, fs)
}

/**
 * Removes what was kept, so that nothing in it can be read or put back.
 *
 * @throws {TOTPError} `ERR_STORE_UNWRITABLE` when it is still there
 */
export function dropPrevious(storePath: string, fs: FileSystem = fileSystem): void {
  const path = previousPath(storePath)
  translateErrors('ERR_STORE_UNWRITABLE', `cannot remove ${path}`, () => {
    try {
      fs.unlinkSync(path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  })
}
