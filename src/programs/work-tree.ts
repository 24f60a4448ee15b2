import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** A path with the links in its folders resolved: git does not follow links. */
export function realPath(path: string): string {
  const absolute = resolve(path)
  return join(realFolder(dirname(absolute)), basename(absolute))
}

/** A folder with all links in its path resolved. */
export function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder)
  } catch {
    return resolve(folder)
  }
}

/**
 * The folders above a file that contain a `.git`, nearest first: work trees, as far as can be told without git. In a
 * linked work tree or a submodule, `.git` is a file. A bare repository on the way is not a work tree.
 */
export function workTreesAbove(path: string): string[] {
  const found: string[] = []
  for (let folder = dirname(realPath(path)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) found.push(folder)
    if (dirname(folder) === folder) return found
  }
}
