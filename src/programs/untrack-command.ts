import { isAbsolute, relative } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { realFolder } from './work-tree.js'

/** The command, to run in `cwd`, that makes git stop tracking a file and keeps the file itself. */
export function untrackCommand(path: string, root: string, cwd: string): string {
  const here = realFolder(cwd)
  const inside = relative(root, here)
  const elsewhere = inside.startsWith('..') || isAbsolute(inside)
  const name = relative(elsewhere ? root : here, path)
  // git interprets these as wildcards and pathspec magic.
  const literal = /[*?[\\]|^:/.test(name) ? '--literal-pathspecs ' : ''
  const dashes = name.startsWith('-') ? '-- ' : ''
  const command = `git ${literal}rm --cached ${dashes}${quoteForShell(name)}`
  return elsewhere ? `cd ${quoteForShell(root)} && ${command}` : command
}
