import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { realFolder } from '../programs/work-tree.js'
import { distrustFolder, look, upwardFrom } from './trusted-folder.js'

/** A file that was not trusted, and why. */
export interface PassedOver {
  readonly path: string
  readonly reason: string
}

/** What a search upward found. */
export interface FoundUpward {
  /** The real path of the folder where it began. */
  readonly start: string
  /** The nearest trusted file. */
  readonly path: string | undefined
  /** Nearer files that were not trusted, nearest first. */
  readonly passedOver: readonly PassedOver[]
}

/**
 * Finds the nearest file with one of some names, in a folder or above it.
 *
 * The search trusts only a regular file that the user owns, in folders that only the user and root can write to: an
 * attacker must not be able to plant it. On Windows, owners and modes cannot be checked.
 *
 * @param names the first one counts where a folder has several
 * @param here searches only that folder
 */
export function findUpward(folder: string, names: readonly string[], here = false): FoundUpward {
  const passedOver: PassedOver[] = []
  const start = realFolder(folder)
  for (const each of here ? [start] : upwardFrom(start)) {
    for (const path of names.map((name) => join(each, name))) {
      const stats = look(path)
      if (stats === undefined) continue
      const reason = distrust(stats, each)
      if (reason === undefined) return { start, path, passedOver }
      passedOver.push({ path, reason })
    }
  }
  return { start, path: undefined, passedOver }
}

function distrust(file: Stats, folder: string): string | undefined {
  if (file.isSymbolicLink()) return 'it is a symbolic link'
  if (!file.isFile()) return 'it is not a regular file'
  const caller = process.geteuid?.()
  if (caller === undefined) return undefined
  if (file.uid !== caller) return `it belongs to another user (uid ${file.uid})`
  return distrustFolder(folder)
}
