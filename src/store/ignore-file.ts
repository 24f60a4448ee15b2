import { constants } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { TOTPError } from '../core/errors.js'
import { workTreesAbove } from '../programs/work-tree.js'
import { closeQuietly, fileSystem, type FileSystem } from './file-system.js'
import { translateErrors } from './system-error.js'

/** What became of the wish that git should not see a store. */
export type IgnoreOutcome = 'added' | 'present' | 'no-work-tree'

/**
 * Adds a store, its backups and its sidecars to the `.gitignore` beside it, when it lies inside a git work tree.
 * What the file says already stays as it is, down to its line endings.
 *
 * The last rule that fits decides, so a line that is there counts only behind the last rule that includes something
 * again. That a line is there does not mean that git obeys it: of a file that it tracks already it does not.
 *
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` with the cause; a link is not followed. The file is as it was.
 */
export function ignoreInGit(storePath: string, fs: FileSystem = fileSystem): IgnoreOutcome {
  const folder = dirname(resolve(storePath))
  if (workTreesAbove(storePath).length === 0) return 'no-work-tree'
  const path = join(folder, '.gitignore')
  return translateErrors('ERR_FILE_UNWRITABLE', `cannot add the store to ${path}`, () =>
    addLines(path, linesFor(basename(storePath)), fs),
  )
}

function linesFor(name: string): string[] {
  // gitignore(5): a backslash takes the meaning from a wildcard, and keeps a blank at the end.
  const literal = name.replace(/[\\*?[]|\s$/g, '\\$&')
  return [`/${literal}`, `/${literal}.bak-*`, `/${literal}.log`, `/.${literal}.*`]
}

function addLines(path: string, lines: readonly string[], fs: FileSystem): IgnoreOutcome {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants
  const file = fs.openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fs.fstatSync(file)
    if (!stats.isFile()) throw new TOTPError('ERR_FILE_UNWRITABLE', `${path} is not a regular file`)
    const text = fs.readFileSync(file, 'utf8')
    const rules = text.split(/\r?\n/)
    const there = new Set(rules.slice(rules.findLastIndex((rule) => rule.startsWith('!')) + 1))
    const missing = lines.filter((line) => !there.has(line))
    if (missing.length === 0) return 'present'
    append(file, stats.size, linesAfter(text, missing), fs)
    return 'added'
  } finally {
    closeQuietly(file, fs)
  }
}

function linesAfter(text: string, lines: readonly string[]): string {
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  const start = text === '' || text.endsWith('\n') ? '' : end
  return start + lines.map((line) => line + end).join('')
}

function append(file: number, size: number, text: string, fs: FileSystem): void {
  try {
    fs.writeFileSync(file, text)
    fs.fsyncSync(file)
  } catch (error) {
    fs.ftruncateSync(file, size)
    throw error
  }
}
