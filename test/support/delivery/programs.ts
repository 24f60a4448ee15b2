import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** A program in front of all others. */
export function addProgram(folder: string, name: string, script: string): void {
  mkdirSync(join(folder, '.bin'), { recursive: true })
  writeFileSync(join(folder, '.bin', name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, '.bin', name), 0o755)
}

/** Makes a program that gets this argument read everything, do nothing and succeed. */
export function deafen(folder: string, [name, argument]: readonly [name: string, argument: string]): void {
  const own = join(folder, '.bin', name)
  const kept = `${own}-in-truth`
  const isOwn = existsSync(own)
  if (isOwn) renameSync(own, kept)
  const real = isOwn ? kept : run('sh', ['-c', 'command -v "$0"', name], folder)
  const script = `case " $* " in *" ${argument} "*) cat >/dev/null; exit 0 ;; esac\nexec ${real} "$@"`
  addProgram(folder, name, script)
}

/** Makes a program read everything and fail. */
export const breakProgram =
  (folder: string, name: string): (() => void) =>
  () =>
    addProgram(folder, name, 'cat >/dev/null; exit 3')

/** Runs a program as the recipe of a folder would, and returns what it prints. */
export const run = (
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): string =>
  execFileSync(program, args, {
    cwd,
    env: { PATH: searchPath(cwd), HOME: cwd, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd()

/** What scripts/delivery-venv.sh installs. */
export const venv = new URL('../../../.venvs/delivery/bin', import.meta.url).pathname

/** Where a recipe in this folder finds its programs. */
export const searchPath = (folder: string): string =>
  [join(folder, '.bin'), venv, process.env['PATH'], '/usr/sbin'].join(':')

export const isInstalled = (program: string): boolean =>
  spawnSync('sh', ['-c', 'command -v "$0"', program], { env: { PATH: searchPath('/') } }).status === 0

/** Whether a file of a folder, or one below it, holds a text. */
export function holdsText(folder: string, text: string): boolean {
  if (!existsSync(folder)) return false
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(text))
}
