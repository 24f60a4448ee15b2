import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { TOTPError } from '../../../core/errors.js'
import { realFolder, realPath, workTreesAbove } from '../../../programs/work-tree.js'
import type { CliContext } from '../../context.js'
import { workingFolder } from '../../io/path.js'

/**
 * The file that code scanning shows results at, relative to the top of the work tree, or to the working directory where
 * there is none: the given one, else the store. Undefined where the store is elsewhere.
 *
 * @throws {TOTPError} `ERR_USAGE` for a given file outside the repository
 */
export function sarifLocation(context: CliContext, given: string | undefined): string | undefined {
  const cwd = workingFolder(context)
  if (cwd === undefined) return undefined
  const top = workTreesAbove(join(cwd, 'file'))[0] ?? realFolder(cwd)
  const path = relative(top, realPath(given === undefined ? context.store.path() : resolve(cwd, given)))
  // On another disk of Windows, even a relative path is absolute.
  const isOutside = path === '' || path.split(sep)[0] === '..' || isAbsolute(path)
  if (!isOutside) return path.split(sep).join('/')
  if (given === undefined) return undefined
  throw new TOTPError('ERR_USAGE', '--sarif-location must name a file in this repository')
}
