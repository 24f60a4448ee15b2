import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './cli.js'

/** Without git the tests that need it are skipped. */
export const hasGit = spawnSync('git', ['--version']).status === 0

/** Nobody's settings, and an author. */
const plain = {
  PATH: process.env['PATH'] ?? '',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 't'],
      [`GIT_${who}_EMAIL`, 't@example.com'],
    ]),
  ),
}

/** Runs git as anybody would, and returns what it prints. It is a failed test when it fails. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, env: plain, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The same for a command that may fail, as those in a hostile clone do. */
export function tryGit(cwd: string, ...args: string[]): void {
  spawnSync('git', args, { cwd, env: plain, stdio: 'ignore', timeout: 20_000 })
}

/** A `$PATH` whose git ignores no file, whatever the rules, as no rule of ours can be made to fail. */
export function pathOfStubbornGit(): string {
  const folder = makeFolder()
  const script = `#!/bin/sh
case "$*" in *check-ignore*) exit 1 ;; esac
PATH='${plain.PATH}' exec git "$@"
`
  writeFileSync(join(folder, 'git'), script, { mode: 0o755 })
  return `${folder}:${plain.PATH}`
}
