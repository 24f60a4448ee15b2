import { constants } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { TOTPError } from '../core/errors.js'
import { workTreesAbove } from '../programs/work-tree.js'
import { closeQuietly, fileSystem, type FileSystem } from './file-system.js'
import { errnoOf, translateErrors } from './system-error.js'

/** Whether the rules were added, were there already, or no work tree needs them. */
export type IgnoreResult = 'added' | 'present' | 'no-work-tree'

/**
 * Adds a store, its backups and its sidecars to the `.gitignore` beside it, when it is in a git work tree.
 * Existing content is kept, line endings included.
 *
 * In git the last matching rule decides, so an existing line counts only after the last rule that includes something
 * again. A rule does not make git ignore a file that it tracks already.
 *
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` with the cause; the file is unchanged. Does not follow a link.
 */
export function ignoreInGit(storePath: string, fs: FileSystem = fileSystem): IgnoreResult {
  if (workTreesAbove(storePath).length === 0) return 'no-work-tree'
  return addRules(storePath, 'the store', rulesForStore(basename(storePath)), fs)
}

/** The same for a file that a command wrote, such as a fragment, and for what a killed writer of it leaves behind. */
export function ignoreResultInGit(path: string, fs: FileSystem = fileSystem): IgnoreResult {
  if (workTreesAbove(path).length === 0) return 'no-work-tree'
  const name = literal(basename(path))
  return addRules(path, basename(path), [`/${name}`, `/.${name}.tmp-*`], fs)
}

/**
 * The same for any one file with secrets, without looking for a work tree.
 *
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` with the cause; the file is unchanged. Does not follow a link.
 */
export function ignoreFileInGit(file: string, fs: FileSystem = fileSystem): IgnoreResult {
  return addRules(file, file, [`/${literal(basename(file))}`], fs)
}

function addRules(file: string, what: string, rules: readonly string[], fs: FileSystem): IgnoreResult {
  const path = join(dirname(resolve(file)), '.gitignore')
  const failure = `cannot add ${what} to ${path}`
  return translateErrors('ERR_FILE_UNWRITABLE', failure, () => {
    try {
      return addLines(path, rules, fs)
    } catch (error) {
      const kind = unusable[errnoOf(error) ?? '']
      if (kind === undefined) throw error
      throw new TOTPError('ERR_FILE_UNWRITABLE', `${failure}: it is ${kind}; replace it by a file`, {
        cause: error,
      })
    }
  })
}

/** What git does not read as rules either, by the error of opening it. */
const unusable: Readonly<Record<string, string>> = {
  ELOOP: 'a symbolic link',
  EISDIR: 'a folder',
  ENXIO: 'no regular file',
}

/** gitignore(5): a backslash escapes a wildcard, and keeps trailing whitespace. No rule can contain a line break. */
const literal = (name: string): string => name.replace(/[\\*?[]|[^\S\r\n]$/g, '\\$&').replace(/[\r\n]/g, '?')

/** The store; what the tool keeps beside it; and what editors do: `NAME~`, `#NAME#`, `.NAME.swp`. */
function rulesForStore(store: string): string[] {
  const name = literal(store)
  return [`/${name}`, `/${name}.bak-*`, `/${name}.log`, `/.${name}.*`, `/${name}~`, `/#${name}#`]
}

function addLines(path: string, lines: readonly string[], fs: FileSystem): IgnoreResult {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants
  const file = fs.openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fs.fstatSync(file)
    if (!stats.isFile())
      throw new TOTPError('ERR_FILE_UNWRITABLE', `${path} is not a regular file; replace it by a file`)
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
