import { spawn } from 'node:child_process'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { Env } from './environment.js'
import { codeOf } from './system-error.js'

// The one program that the user names, and that runs in place of this one, with an environment that the user wants it to
// have. Everything that the tool starts by itself is in run.ts.

/** What is needed to run a program in place of this process. */
export interface TakeOver {
  readonly cwd: string
  /** Its whole environment. PATH in it says where the program is looked for. */
  readonly env: Env
  /** Hands every signal that arrives from now on to a receiver, in place of what was done with it. */
  readonly onSignal: (receive: (signal: NodeJS.Signals) => void) => void
}

/** How it ended, as an exit code (128 + n: by a signal), or why it could not be started. */
export type TakenOver =
  { readonly exitCode: number } | { readonly failure: 'not found' | 'not runnable'; readonly reason: string }

/**
 * Runs a program with this process's standard input, output and error, without a shell, and waits until it ends. Signals
 * are passed on to it, but for those that a terminal has sent to it as well.
 *
 * @param name a path if there is a slash in it, else looked up as shells do, except that an empty folder in PATH does not
 *   mean the working directory
 */
export function runInPlace(
  name: string,
  args: readonly string[],
  { cwd, env, onSignal }: TakeOver,
): Promise<TakenOver> {
  const found = lookUp(name, env['PATH'], cwd)
  if ('failure' in found) return Promise.resolve(found)
  return new Promise((done) => {
    const fail = (error: unknown): void =>
      done({ failure: 'not runnable', reason: `${name} cannot be run (${codeOf(error)})` })
    try {
      const child = spawn(found.path, args, { cwd, env, stdio: 'inherit', argv0: name, windowsHide: false })
      onSignal((signal) => {
        if (!(fromTerminal.has(signal) && inForeground())) child.kill(signal)
      })
      child.on('error', fail)
      // After `error` there may be no `exit`, and after `exit` nothing else matters: its output is not ours.
      child.on('exit', (code, signal) =>
        done({ exitCode: code ?? 128 + (signal ? osConstants.signals[signal] : 0) }),
      )
    } catch (error) {
      fail(error)
    }
  })
}

/** Keys of a terminal: it sends them to every process in the foreground. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT'])

/** Whether this process is in the foreground of a terminal. On systems without `/proc`: whether it reads from one. */
function inForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    // The name of the program, in brackets, may contain anything.
    const [, , job, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return foreground === job
  } catch {
    return process.stdin.isTTY
  }
}

function lookUp(
  name: string,
  path: string | undefined,
  cwd: string,
): { readonly path: string } | Extract<TakenOver, { failure: string }> {
  const windows = process.platform === 'win32'
  const places =
    name.includes('/') || (windows && name.includes('\\'))
      ? [resolve(cwd, name)]
      : (path ?? '')
          .split(delimiter)
          .filter((folder) => folder !== '')
          .map((folder) => join(isAbsolute(folder) ? folder : resolve(cwd, folder), name))
  const spelled = windows ? places.flatMap((place) => [place, `${place}.exe`]) : places
  const kinds = spelled.map((place) => ({ place, kind: kindOf(place) }))
  const program = name === '' ? undefined : kinds.find(({ kind }) => kind === 'program')
  if (program) return { path: program.place }
  return kinds.some(({ kind }) => kind === 'other') && name !== ''
    ? { failure: 'not runnable', reason: `${name} is not an executable file` }
    : { failure: 'not found', reason: `${name} was not found` }
}

function kindOf(path: string): 'program' | 'other' | undefined {
  try {
    if (!statSync(path).isFile()) return 'other'
    accessSync(path, constants.X_OK)
    return 'program'
  } catch (error) {
    return codeOf(error) === 'EACCES' ? 'other' : undefined
  }
}
