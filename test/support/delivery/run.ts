import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isInstalled, searchPath } from './programs.js'

export interface Delivery {
  readonly exitCode: number
  /** What it printed, on both streams. */
  readonly output: string
  /** Arguments and environment of every program that it started; empty without strace. */
  readonly started: string
}

/** Whether the programs that a recipe starts can be watched: every one, and not only those seen in time. */
export const canTrace = isInstalled('strace')

/** Runs a recipe as `rotate --deliver` does, in a folder that is its HOME. */
export async function deliver(
  code: string,
  fragment: string,
  { folder, env = {} }: { readonly folder: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Delivery> {
  const recipe = join(folder, '.recipe')
  const trace = join(folder, '.trace')
  const temporary = join(folder, '.tmp')
  mkdirSync(temporary, { recursive: true })
  writeFileSync(recipe, code)
  const watch = canTrace
    ? ['strace', '-f', '-qq', '--seccomp-bpf', '-e', 'trace=execve', '-v', '-s', '65536', '-o', trace]
    : []
  const child = spawn('/usr/bin/env', [...watch, 'sh', recipe], {
    cwd: folder,
    env: {
      PATH: searchPath(folder),
      HOME: folder,
      TMPDIR: temporary,
      A2A_TOTP_AGENT: 'billing',
      A2A_TOTP_PEER: 'alice',
      A2A_TOTP_FORMAT: 'env',
      ...env,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stdin.on('error', () => undefined).end(fragment)
  const exitCode = await new Promise<number>((done, failed) => {
    child.on('error', failed).on('close', (status) => done(status ?? -1))
  })
  const started = canTrace ? readFileSync(trace, 'utf8') : ''
  for (const path of [recipe, trace]) rmSync(path, { force: true })
  return { exitCode, output, started }
}
