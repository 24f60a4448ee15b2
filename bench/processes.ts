import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binary } from './paths.js'
import type { Sampler } from './rounds.js'

/** A command line, and what it is run in. */
export interface Run {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Command lines of the CLI on the store of a folder. */
export const cliIn =
  (cwd: string) =>
  (...args: string[]): Run => ({
    command: process.execPath,
    args: [binary, '--quiet', ...args],
    cwd,
    env: { A2A_TOTP_STORE: join(cwd, 'a2a-totp.json') },
  })

export interface Usage {
  /** User and system time in milliseconds. */
  readonly cpu: number
  /** The most memory that was resident, in MB. */
  readonly memory: number
}

/** A sampler of the wall time of a whole process, in milliseconds. */
export function wallTimeOf(next: () => Run): Sampler {
  return () => {
    const run = next()
    const start = performance.now()
    execute(run)
    return performance.now() - start
  }
}

/**
 * CPU time and peak memory of a Node process, which it notes itself as it ends. The note costs about a
 * millisecond, the same for every process.
 */
export function usageOf(run: Run, meter: string, note: string): Usage {
  execute({ ...run, args: ['--require', meter, ...run.args], env: { ...run.env, BENCH_NOTE: note } })
  return JSON.parse(readFileSync(note, 'utf8')) as Usage
}

/** What `usageOf` preloads. A file, because Node takes no preload from its command line. */
export function writeMeter(folder: string): string {
  const path = join(folder, 'meter.cjs')
  writeFileSync(
    path,
    `process.on('exit', () => {
      const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
      const usage = { cpu: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024 }
      require('node:fs').writeFileSync(process.env.BENCH_NOTE, JSON.stringify(usage))
    })`,
  )
  return path
}

/** Runs it to its end. A run that fails would make a fast figure, so it ends the benchmark. */
export function execute({ command, args, cwd, input = '', env = {} }: Run): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    input,
    env: { PATH: process.env['PATH'], HOME: cwd, ...env },
    maxBuffer: 256 * 1024 * 1024,
  })
  if (error) throw error
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${String(status)}: ${stderr.toString()}`)
  return stdout.toString()
}

/** Whether a program can be run here at all. */
export function isThere(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/** Gives a folder of its own to what is measured, and takes it away afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
