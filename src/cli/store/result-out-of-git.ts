import { basename, join } from 'node:path'
import { isTOTPError } from '../../core/errors.js'
import { printable } from '../../core/text.js'
import { askGit, type KnownView } from '../../programs/git-view.js'
import { untrackCommand } from '../../programs/untrack-command.js'
import { ignoreResultInGit } from '../../store/ignore-file.js'
import type { CliContext } from '../context.js'
import { workingFolderOrRoot } from '../io/path.js'

/**
 * Keeps a secret result out of git once it is written: adds it to the `.gitignore` beside it, and asks git whether that
 * works. What remains to be done is a warning, since the file is there.
 *
 * @param gitignore whether `.gitignore` may be changed; if not, only a file that git tracks is reported
 * @param onIgnored called with the name once git ignores it by a new rule; by default that is said
 */
export async function keepResultOutOfGit(
  context: CliContext,
  path: string,
  gitignore: boolean,
  onIgnored: (name: string) => void = (ignored) => context.output.say(`added ${ignored} to .gitignore`),
): Promise<void> {
  const { output, progress, env, signal } = context
  const cwd = workingFolderOrRoot(context)
  const name = printable(basename(path))
  const added = gitignore && addRule(context, path)
  const view = await progress.during('checking git', () => askGit(path, { cwd, env, signal }))
  signal.throwIfAborted()
  if (view.kind === 'outside') return
  if (view.kind === 'known' && view.tracked !== undefined) {
    output.warn(trackedWarning(name, view.tracked, view, cwd))
    return
  }
  if (!gitignore) return
  const doubt = view.kind === 'unknown' ? view : view.doubt
  if (doubt) {
    output.warn(
      `${name} is secret and in a git work tree, and git cannot tell whether it is ignored: ${doubt.reason}; ` +
        'make sure that git does not add it',
    )
  } else if (view.kind === 'known' && view.ignored) {
    if (added) onIgnored(name)
  } else {
    output.warn(
      `git does not ignore ${name}${added ? ', despite .gitignore' : ''}: the next commit may contain its secrets; ` +
        'move it out of the work tree',
    )
  }
}

function addRule({ output }: CliContext, path: string): boolean {
  try {
    return ignoreResultInGit(path) === 'added'
  } catch (error) {
    if (!isTOTPError(error)) throw error
    output.warn(error.message)
    return false
  }
}

function trackedWarning(name: string, tracked: string, { root }: KnownView, cwd: string): string {
  const untrack = printable(untrackCommand(join(root, tracked), root, cwd))
  return (
    `git tracks ${name}, and .gitignore has no effect on it: the next commit publishes its secrets; ` +
    `run: ${untrack}`
  )
}
