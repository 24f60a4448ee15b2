import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'

/**
 * Reads a file that may hold something of interest. Undefined for what is larger, empty, not a regular file, gone, or
 * not readable: an audit has nothing to say about it.
 */
export function readSmallFile(path: string, mostBytes: number): Buffer | undefined {
  try {
    const stats = lstatSync(path)
    return stats.isFile() && stats.size > 0 && stats.size <= mostBytes ? readFileSync(path) : undefined
  } catch {
    return undefined
  }
}

/** Reads the first bytes of a file of any size, under the same conditions. */
export function readHead(path: string, mostBytes: number): Buffer | undefined {
  try {
    const stats = lstatSync(path)
    if (!stats.isFile() || stats.size <= mostBytes) return readSmallFile(path, mostBytes)
    const file = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(mostBytes)
      return bytes.subarray(0, readSync(file, bytes, 0, mostBytes, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

/** The size of a file; 0 for one that is gone or cannot be looked at. */
export function sizeOf(path: string): number {
  try {
    return lstatSync(path).size
  } catch {
    return 0
  }
}

/** The names in a folder; undefined where it cannot be listed, which the audit of the store's file reports. */
export function namesIn(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder)
  } catch {
    return undefined
  }
}
