import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** A path without links in its folders: git never looks through a link. */
export function realPath(path: string): string {
  const absolute = resolve(path)
  return join(realFolder(dirname(absolute)), basename(absolute))
}

/** The same for a folder, whose last part may be a link too. */
export function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder)
  } catch {
    return resolve(folder)
  }
}

/**
 * The folders above a file that hold a `.git`, the nearest first: work trees, as far as can be told without git. In a
 * linked work tree or a submodule `.git` is a file. A bare repository that lies in the way is none of them.
 */
export function workTreesAbove(path: string): string[] {
  const found: string[] = []
  for (let folder = dirname(realPath(path)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) found.push(folder)
    if (dirname(folder) === folder) return found
  }
}
