// What scripts/test-long.mjs remembers from one run to the next, in reports/long.json.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Which code this is: the commit, and a digest of what tracked files have beyond it. */
export function codeOf(root) {
  const git = (...args) => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 30 })
  const commit = git('rev-parse', 'HEAD').toString().trim()
  const changes = git('diff', '--no-ext-diff', '--binary', 'HEAD')
  if (changes.length === 0) return commit
  return `${commit}+${createHash('sha256').update(changes).digest('hex').slice(0, 12)}`
}

/** None where there is no file yet, or one that was written by something else. */
export function readNotes(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}

export function writeNotes(path, notes) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, `${JSON.stringify(notes, undefined, 2)}\n`)
  renameSync(`${path}.new`, path)
}
