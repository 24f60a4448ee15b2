import { workTreesAbove } from '../../../programs/work-tree.js'
import type { CliContext } from '../../context.js'
import type { PlaintextOptions } from '../../store/out-of-git.js'

/**
 * Call this before a store is written in plain text: git must not see it, not even for a moment.
 *
 * @returns a warning for after it is written
 * @throws what `keepOutOfGit` throws
 */
export async function beforePlaintext(
  context: CliContext,
  path: string,
  options: PlaintextOptions,
): Promise<string | undefined> {
  if (workTreesAbove(path).length === 0 && !context.env['GIT_DIR']) return undefined
  const { keepOutOfGit } = await import('../../store/out-of-git.js')
  return keepOutOfGit(context, path, options)
}
