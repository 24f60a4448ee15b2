// What scripts/test-long.mjs remembers from one run to the next, in reports/long.json.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** All but texts: figures that are written down after a run do not make it the run of other code. */
const code = ['--', '.', ':(exclude)*.md']

/** Which code this is: the last commit that changed any, and a digest of what tracked files have beyond it. */
export function codeOf(root) {
  const git = (...args) => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 30 })
  const commit = git('log', '-1', '--format=%H', ...code)
    .toString()
    .trim()
  const changes = git('diff', '--no-ext-diff', '--binary', 'HEAD', ...code)
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
