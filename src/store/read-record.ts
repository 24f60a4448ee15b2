import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { ChangedField } from '../core/changes.js'
import { TOTPError } from '../core/errors.js'
import { parseRfc3339 } from '../core/instant.js'
import { isObject, parseJson } from '../core/json.js'
import { recordPath, type Change } from './change-record.js'
import { openExisting } from './file-system.js'
import { errnoOf, translateErrors } from './system-error.js'

/** A line of the record, as it was read: a change, or nothing that this version understands. */
export type RecordLine =
  | { readonly number: number; readonly change: RecordedChange }
  | { readonly number: number; readonly change: undefined }

/** A change with what lines of earlier versions lack. */
export type RecordedChange = Change & { readonly changed: readonly ChangedField[] }

const chunkBytes = 1 << 16
/** A change of ten thousand peers takes some megabytes. */
const longestLine = 1 << 24

/**
 * Reads the record of a store, oldest first, in chunks: memory is bounded by the longest line. What is appended meanwhile
 * is not read.
 *
 * @param trustAnyone whether another user's record is read
 * @returns undefined when there is no record
 * @throws {TOTPError} `ERR_FILE_UNREADABLE` for a link, another user's file, or anything but a regular file, and with the
 *   cause of an error of the system
 */
export function openRecord(
  storePath: string,
  trustAnyone: boolean,
): AsyncGenerator<RecordLine, void, void> | undefined {
  const path = recordPath(storePath)
  const file = translateErrors('ERR_FILE_UNREADABLE', `cannot read ${path}`, () => open(path))
  if (file === undefined) return undefined
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) throw unreadable(`${path} is not a regular file`)
    if (!trustAnyone && process.geteuid !== undefined && stats.uid !== process.geteuid())
      throw unreadable(`${path} belongs to another user (uid ${stats.uid}); change its owner with chown`)
    return linesOf(path, file, stats.size)
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, openExisting)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function* linesOf(path: string, file: number, size: number): AsyncGenerator<RecordLine, void, void> {
  let number = 0
  let pieces: Buffer[] = []
  let length = 0
  const add = (piece: Buffer): void => {
    length += piece.length
    // Of a line that is too long, nothing is kept.
    if (length > longestLine) pieces = []
    else pieces.push(piece)
  }
  const end = (): RecordLine => {
    const text = Buffer.concat(pieces).toString()
    pieces = []
    length = 0
    return { number: ++number, change: parseChange(text) }
  }
  try {
    for (let at = 0; at < size;) {
      // Copied, because pieces of a line outlive the chunk.
      const chunk = Buffer.alloc(Math.min(chunkBytes, size - at))
      const read = translateErrors('ERR_FILE_UNREADABLE', `cannot read ${path}`, () =>
        readSync(file, chunk, 0, chunk.length, at),
      )
      if (read === 0) break
      at += read
      let rest = chunk.subarray(0, read)
      for (let newline = rest.indexOf(10); newline >= 0; newline = rest.indexOf(10)) {
        add(rest.subarray(0, newline))
        yield end()
        rest = rest.subarray(newline + 1)
      }
      add(rest)
      // So that a signal is noticed.
      await setImmediate()
    }
    if (length > 0) yield end()
  } finally {
    closeSync(file)
  }
}

/** Undefined for a line that no version wrote. */
function parseChange(text: string): RecordedChange | undefined {
  const line = parseJson(text)
  if (!isObject(line)) return undefined
  const { at, by, host, command, peers, changed = [], serial } = line
  const instant = typeof at === 'string' ? parseRfc3339(at) : undefined
  if (!instant || typeof by !== 'string' || typeof host !== 'string' || typeof command !== 'string')
    return undefined
  if (!isArrayOf(peers, isText) || !isArrayOf(changed, isChangedField)) return undefined
  const count = typeof serial === 'number' ? { serial } : {}
  return { at: instant, by, host, command, peers, changed: changed.map(fieldsOf), ...count }
}

function isArrayOf<T>(value: unknown, allows: (one: unknown) => one is T): value is T[] {
  return Array.isArray(value) && value.every(allows)
}

const isText = (value: unknown): value is string => typeof value === 'string'

function isChangedField(value: unknown): value is ChangedField {
  if (!isObject(value)) return false
  const { peer, field, id, from, to } = value
  const texts = [peer, id].every((one) => one === undefined || isText(one))
  return texts && isText(field) && [from, to].every(isFieldValue)
}

const isFieldValue = (value: unknown): boolean =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)

/** Without keys that a later version may have added. */
function fieldsOf({ peer, field, from, to, id }: ChangedField): ChangedField {
  return { ...(peer !== undefined && { peer }), field, from, to, ...(id !== undefined && { id }) }
}

function unreadable(message: string): TOTPError {
  return new TOTPError('ERR_FILE_UNREADABLE', message)
}
