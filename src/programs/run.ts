import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { programEnvironment, type Env } from './environment.js'

// Every program that the tool starts by itself is started here; the linter refuses `node:child_process` elsewhere.
// A command that the user names (`exec`, `--deliver`) needs another environment: it will be a second function beside
// `runProgram`, with a list of its own in environment.ts.

export interface RunOptions {
  readonly cwd?: string
  /** Variables for this program alone. */
  readonly own?: Env
  /** Of this process, for {@link programEnvironment}. */
  readonly env?: Env
  /** What it reads from standard input; nothing by default. */
  readonly input?: string
  readonly timeoutMs?: number
  /** How much it may print, on standard output and on standard error together. */
  readonly maxBytes?: number
}

/** What came of a program. It either ended by itself, or there is a reason why it did not. */
export type ProgramRun =
  | { readonly ended: true; readonly status: number; readonly stdout: Buffer; readonly stderr: Buffer }
  | { readonly ended: false; readonly reason: string; readonly missing?: true }

const usual = { timeoutMs: 10_000, maxBytes: 1 << 26 } as const

/**
 * Runs a program without a shell, with an environment of its own, and waits for its end.
 *
 * @param name an absolute path, or a name to look up in the absolute folders of PATH
 * @param signal ends it
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  options: RunOptions = {},
  signal?: AbortSignal,
): Promise<ProgramRun> {
  const env = programEnvironment(options.own, options.env)
  const program = findProgram(name, env['PATH'])
  if (program === undefined) return notFound(name)
  return new Promise((done) => {
    let child: ChildProcessByStdio<Writable, Readable, Readable>
    try {
      const { cwd } = options
      child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    } catch (error) {
      done(failed(name, error))
      return
    }
    collect(name, child, options, signal, done)
  })
}

/** The same for callers that cannot wait. */
export function runProgramSync(name: string, args: readonly string[], options: RunOptions = {}): ProgramRun {
  const env = programEnvironment(options.own, options.env)
  const program = findProgram(name, env['PATH'])
  if (program === undefined) return notFound(name)
  const { cwd, input = '', timeoutMs = usual.timeoutMs, maxBytes = usual.maxBytes } = options
  const limits = { timeout: timeoutMs, maxBuffer: maxBytes, killSignal: 'SIGKILL' as const }
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...limits,
    cwd,
    env,
    input,
    windowsHide: true,
  })
  if (error) return failed(name, error)
  if (status === null) return { ended: false, reason: `${name} was killed` }
  return { ended: true, status, stdout, stderr }
}

function collect(
  name: string,
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  { input = '', timeoutMs = usual.timeoutMs, maxBytes = usual.maxBytes }: RunOptions,
  signal: AbortSignal | undefined,
  done: (run: ProgramRun) => void,
): void {
  const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  let bytes = 0
  const finish = (run: ProgramRun): void => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', interrupt)
    done(run)
  }
  // A program that it started may still hold the pipes, so their end is not waited for.
  const kill = (reason: string): void => {
    child.kill('SIGKILL')
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
    finish({ ended: false, reason })
  }
  const interrupt = (): void => kill(`${name} was interrupted`)
  const timer = setTimeout(() => kill(`${name} took longer than ${timeoutMs / 1000} s`), timeoutMs)
  signal?.addEventListener('abort', interrupt)
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      printed[stream].push(chunk)
      bytes += chunk.length
      if (bytes > maxBytes) kill(`${name} printed more than ${maxBytes} bytes`)
    })
  }
  child.on('error', (error) => finish(failed(name, error)))
  child.on('close', (status) => {
    if (status === null) finish({ ended: false, reason: `${name} was killed` })
    else
      finish({
        ended: true,
        status,
        stdout: Buffer.concat(printed.stdout),
        stderr: Buffer.concat(printed.stderr),
      })
  })
  // A program that reads nothing may be gone before its input is written.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  if (signal?.aborted) interrupt()
}

/** Where a program is. A relative folder in PATH is passed over: anyone could have put a program there. */
export function findProgram(name: string, path = ''): string | undefined {
  if (isAbsolute(name)) return name
  const file = process.platform === 'win32' ? `${name}.exe` : name
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, file))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const notFound = (name: string): ProgramRun => ({
  ended: false,
  reason: `${name} is not installed`,
  missing: true,
})

function failed(name: string, error: unknown): ProgramRun {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  if (errno === 'ETIMEDOUT') return { ended: false, reason: `${name} took too long` }
  return { ended: false, reason: `${name} could not be run (${errno})` }
}
