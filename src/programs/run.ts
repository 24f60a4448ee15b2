import { execFile, spawnSync, type ExecFileException } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { programEnvironment, type Env } from './environment.js'

// Every program that the tool starts by itself is started here; the linter refuses `node:child_process` elsewhere.

export interface RunOptions {
  readonly cwd?: string
  /** Variables for this program alone. */
  readonly own?: Env
  /** The environment of this process, for {@link programEnvironment}. */
  readonly env?: Env
  /** What it reads from standard input; nothing by default. */
  readonly input?: string
  readonly timeoutMs?: number
  /** How much it may print on standard output, and as much on standard error. */
  readonly maxBytes?: number
}

/** How a program ended: by itself with a status, or not, for a reason. */
export type ProgramRun =
  | { readonly ended: true; readonly status: number; readonly stdout: Buffer; readonly stderr: Buffer }
  | { readonly ended: false; readonly reason: string; readonly missing?: true }

/**
 * Runs a program without a shell, with an environment of its own, and waits until it ends.
 *
 * @param name an absolute path, or a name to look up in the absolute folders of PATH
 * @param signal kills the program
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  options: RunOptions = {},
  signal?: AbortSignal,
): Promise<ProgramRun> {
  const { program, input, ...settings } = prepare(name, options)
  if (program === undefined) return notFound(name)
  return new Promise((done) => {
    try {
      // When a limit is reached, Node closes the pipes: a process that the program started may still hold them.
      const child = execFile(
        program,
        args,
        { ...settings, signal, encoding: 'buffer' },
        (error, stdout, stderr) => {
          // If it has exited when the time is over, Node cuts what it still prints off, and reports no error.
          const isCut = !error && child.stdout?.readableEnded === false
          const reason = isCut ? tookLonger(name, settings) : error && reasonOf(name, error, settings)
          if (reason !== null) done(notEnded(reason))
          else done({ ended: true, status: Number(error?.code ?? 0), stdout, stderr })
        },
      )
      // A program that reads nothing may be gone before its input is written.
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(input)
    } catch (error) {
      done(notEnded(failure(name, error)))
    }
  })
}

/** Why a program did not end by itself; null when it did, with a status other than 0. */
function reasonOf(
  name: string,
  error: ExecFileException,
  limits: { readonly timeout: number; readonly maxBuffer: number },
): string | null {
  const { code, killed, signal } = error
  if (typeof code === 'number') return null
  if (code === 'ABORT_ERR') return `${name} was interrupted`
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return `${name} printed more than ${limits.maxBuffer} bytes`
  if (killed) return tookLonger(name, limits)
  return signal ? `${name} was killed` : failure(name, error)
}

const tookLonger = (name: string, { timeout }: { readonly timeout: number }): string =>
  `${name} took longer than ${timeout / 1000} s`

/** Like {@link runProgram}, for callers that cannot wait. */
export function runProgramSync(name: string, args: readonly string[], options: RunOptions = {}): ProgramRun {
  const { program, ...settings } = prepare(name, options)
  if (program === undefined) return notFound(name)
  const { status, stdout, stderr, error } = spawnSync(program, args, settings)
  if (error) return notEnded(failure(name, error))
  if (status === null) return notEnded(`${name} was killed`)
  return { ended: true, status, stdout, stderr }
}

function prepare(
  name: string,
  { cwd, own, env: given, input = '', timeoutMs = 10_000, maxBytes = 1 << 26 }: RunOptions,
) {
  const env = programEnvironment(own, given)
  const limits = { timeout: timeoutMs, maxBuffer: maxBytes, killSignal: 'SIGKILL' } as const
  return { program: findProgram(name, env['PATH']), input, cwd, env, windowsHide: true, ...limits }
}

/** The path of a program. Skips relative folders in PATH: anyone could have put a program there. */
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

const notEnded = (reason: string): ProgramRun => ({ ended: false, reason })

const notFound = (name: string): ProgramRun => ({
  ended: false,
  reason: `${name} is not installed`,
  missing: true,
})

function failure(name: string, error: unknown): string {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  if (errno === 'ETIMEDOUT') return `${name} took too long`
  return `${name} could not be run (${errno})`
}
