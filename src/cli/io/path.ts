import { isAbsolute, parse, resolve } from 'node:path'

/**
 * The absolute path of a file that the command line names. Only a relative one needs the working directory, which may
 * have been deleted.
 */
export const pathFrom = (where: { readonly cwd: string }, path: string): string =>
  isAbsolute(path) ? resolve(path) : resolve(where.cwd, path)

/** The working directory, for what is only shown, or only matters to git; of a deleted one nothing can be relative. */
export function folderOr(where: { readonly cwd: string }): string {
  try {
    return where.cwd
  } catch {
    return parse(process.execPath).root
  }
}
