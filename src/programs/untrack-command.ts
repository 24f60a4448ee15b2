import { isAbsolute, relative } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { realFolder } from './work-tree.js'

/** The command that has git no longer track a file, and leaves the file itself alone. It works in `cwd`. */
export function untrackCommand(path: string, root: string, cwd: string): string {
  const here = realFolder(cwd)
  const inside = relative(root, here)
  const elsewhere = inside.startsWith('..') || isAbsolute(inside)
  const name = relative(elsewhere ? root : here, path)
  // git takes these for wildcards and magic.
  const literal = /[*?[\\]|^:/.test(name) ? '--literal-pathspecs ' : ''
  const dashes = name.startsWith('-') ? '-- ' : ''
  const command = `git ${literal}rm --cached ${dashes}${quoteForShell(name)}`
  return elsewhere ? `cd ${quoteForShell(root)} && ${command}` : command
}
