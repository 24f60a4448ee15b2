import { chownSync, lstatSync, readFileSync, renameSync } from 'node:fs'
import { TOTPError } from '../../core/errors.js'
import { isObject, parseJson, type JsonObject } from '../../core/json.js'
import { quoteForShell } from '../../core/shell.js'
import { printable } from '../../core/text.js'
import { overwriteFile, requireWritable } from '../../store/atomic-write.js'
import { fileSystem } from '../../store/file-system.js'

// Files that somebody follows, or reads at its next start: an agent its server file, a peer its client file.

/** A kind of file, and how one that is there is recognised. */
export interface DeliveredKind {
  /** As in `a server file of billing`. */
  readonly what: string
  readonly isOne: (document: JsonObject) => boolean
}

/**
 * Requires that a file is new, or one of that kind.
 *
 * @throws {TOTPError} `ERR_FILE_EXISTS` for any other; `ERR_FILE_UNREADABLE`; `ERR_FILE_UNWRITABLE` for a link, a folder or a
 *   device, and when no file can be written there
 */
export function requireReplaceable(path: string, { what, isOne }: DeliveredKind): void {
  requireWritable(path)
  requireKind(path, { what, isOne })
}

/** The same without a trial of the folder. */
export function requireKind(path: string, { what, isOne }: DeliveredKind): void {
  const present = lstatSync(path, { throwIfNoEntry: false })
  if (present === undefined) return
  if (!present.isFile())
    throw new TOTPError('ERR_FILE_UNWRITABLE', `${path} is not a regular file; name another file`)
  const document = readJson(path, what)
  if (isObject(document) && isOne(document)) return
  throw new TOTPError('ERR_FILE_EXISTS', `${path} is not ${what}, so it is not replaced; name another file`)
}

function readJson(path: string, what: string): unknown {
  try {
    return parseJson(readFileSync(path, 'utf8'))
  } catch {
    throw new TOTPError('ERR_FILE_UNREADABLE', `cannot read ${path}, to see whether it is ${what}`)
  }
}

/**
 * As a whole; the file keeps its mode, and its owner where that is another than who runs this.
 *
 * @returns a warning where its mode lets everybody read it
 */
export function writeDelivered(path: string, content: string): string | undefined {
  const before = lstatSync(path, { throwIfNoEntry: false })
  overwriteFile(path, content, {
    ...fileSystem,
    renameSync(temporary, to) {
      const made = lstatSync(temporary)
      // Else whoever reads it could not read the new one.
      if (before && (made.uid !== before.uid || made.gid !== before.gid))
        chownSync(temporary, before.uid, before.gid)
      renameSync(temporary, to)
    },
  })
  const mode = lstatSync(path).mode & 0o777
  if (process.platform === 'win32' || (mode & 0o004) === 0) return undefined
  return (
    `everybody on this machine can read the secrets in ${printable(path)}, which keeps its mode ${mode.toString(8)}; ` +
    `run: chmod o= ${quoteForShell(path)}`
  )
}
