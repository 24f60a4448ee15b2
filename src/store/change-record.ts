import { constants } from 'node:fs'
import type { ChangedField } from '../core/changes.js'
import { TOTPError } from '../core/errors.js'
import { closeQuietly, fileSystem, openExisting, privateMode, type FileSystem } from './file-system.js'
import { translateErrors } from './system-error.js'

/** A line of the record: who changed what, and when. Nothing in it is secret. */
export interface Change {
  readonly at: Date
  /** The user's login name. */
  readonly by: string
  readonly host: string
  /** The command, such as `rotate`. */
  readonly command: string
  /** The names of the peers and canaries that were added, removed or changed. */
  readonly peers: readonly string[]
  /** What was set, without any secret. Absent in lines of earlier versions. */
  readonly changed?: readonly ChangedField[]
  /** The serial of the store after the change. Absent in lines of earlier versions. */
  readonly serial?: number
}

/** The path of a store's record. */
export const recordPath = (storePath: string): string => `${storePath}.log`

/**
 * Appends a line of JSON to the record of changes beside a store, and creates the record with mode 0600. A last line that was
 * cut off stays a line of its own. The record is not evidence: anyone who can write to the store can write to it.
 *
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` with the cause. Does not follow a link.
 */
export function recordChange(storePath: string, change: Change, fs: FileSystem = fileSystem): void {
  const path = recordPath(storePath)
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK
  translateErrors('ERR_FILE_UNWRITABLE', `cannot write ${path}`, () => {
    const file = fs.openSync(path, flags, privateMode)
    try {
      const stats = fs.fstatSync(file)
      if (!stats.isFile()) throw new TOTPError('ERR_FILE_UNWRITABLE', `${path} is not a regular file`)
      const start = stats.size === 0 || isNewline(path, stats.size - 1, fs) ? '' : '\n'
      fs.writeFileSync(file, `${start}${JSON.stringify(change)}\n`)
      fs.fsyncSync(file)
    } finally {
      closeQuietly(file, fs)
    }
  })
}

/** Opened once more, since what is open for appending cannot be read. */
function isNewline(path: string, at: number, fs: FileSystem): boolean {
  const file = fs.openSync(path, openExisting)
  try {
    const byte = Buffer.alloc(1)
    return fs.readSync(file, byte, 0, 1, at) === 1 && byte[0] === 10
  } finally {
    closeQuietly(file, fs)
  }
}
