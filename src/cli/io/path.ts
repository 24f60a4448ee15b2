import { isAbsolute, parse, resolve } from 'node:path'

/**
 * The absolute path of a file that the command line names. Only a relative one needs the working directory, which may
 * have been deleted.
 */
export const pathFrom = (where: { readonly cwd: string }, path: string): string =>
  isAbsolute(path) ? resolve(path) : resolve(where.cwd, path)

/** The working directory; undefined if it was deleted. */
export function workingFolder(where: { readonly cwd: string }): string | undefined {
  try {
    return where.cwd
  } catch {
    return undefined
  }
}

/** The same, or the root for a deleted one, for what is only shown, or only matters to git: nothing is relative to it. */
export const workingFolderOrRoot = (where: { readonly cwd: string }): string =>
  workingFolder(where) ?? parse(process.execPath).root
