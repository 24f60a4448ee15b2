import { lstatSync, readFileSync } from 'node:fs'

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
