import { lstatSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'

/** A folder and its parents, up to the root. */
export function upwardFrom(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...upwardFrom(above)]
}

/** What is at a path; does not follow a link. Undefined when nothing is there, or the folder is not readable. */
export function look(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

/** Why another user could put a file into a folder; undefined when none can. */
export function distrustFolder(folder: string): string | undefined {
  return untrustedFolder(folder)?.reason
}

/** A folder in which another user could put a file. */
export interface UntrustedFolder {
  readonly folder: string
  readonly reason: string
  /** Whether its mode is the reason. */
  readonly writable: boolean
}

/** Returns the folder, or the nearest above it, in which another user could put or replace something. */
export function untrustedFolder(folder: string): UntrustedFolder | undefined {
  const caller = process.geteuid?.()
  if (caller === undefined) return undefined
  const found = (each: string, reason: string, writable = false): UntrustedFolder => ({
    folder: each,
    reason,
    writable,
  })
  for (const [above, each] of upwardFrom(folder).entries()) {
    const stats = look(each)
    if (stats === undefined) return found(each, `the folder ${each} cannot be inspected`)
    const { uid, mode } = stats
    if (uid !== caller && uid !== 0)
      return found(each, `the folder ${each} belongs to another user (uid ${uid})`)
    const sticky = (mode & 0o1000) !== 0
    // In a sticky folder others can add files but not rename ours, which is enough for a parent.
    if ((mode & 0o022) !== 0 && !(sticky && above > 0))
      return found(each, `others can write to the folder ${each}`, true)
  }
  return undefined
}
