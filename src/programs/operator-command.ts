import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { withoutOwnVariables, type Env } from './environment.js'
import { codeOf } from './system-error.js'
import { openPrivateInput } from './private-input.js'

export interface OperatorCommand {
  /** For `/bin/sh -c`. */
  readonly command: string
  readonly cwd: string
  /** The environment of the caller. Variables named `A2A_TOTP_*` are left out: they may hold seeds, tokens and identities. */
  readonly env: Env
  /** Variables for this command alone; nothing secret. */
  readonly own: Env
  /** What it reads from standard input. */
  readonly input: string
  readonly timeoutMs: number
  /** Called with each line that it prints, on standard output or standard error. */
  readonly onLine: (line: string) => void
}

/** Undefined when the command succeeded, else how it ended. */
export type CommandFailure = string | undefined

/**
 * What it reads is secret, so a file that it makes is its owner's alone unless it says otherwise. A shell sets that before
 * the command's own shell takes its place, which sees the command as it was given.
 */
const underPrivateUmask = 'umask 077; exec /bin/sh -c "$1"'

/** A line is cut here, and after so many nothing more is shown. */
const longestLine = 65_536
const mostLines = 1000

/** After the command has ended: what it left behind may hold its output open. */
const drainMs = 250
const killAfterMs = 1000

/**
 * Runs a command that an operator gave, in a process group of its own, and waits until it ends. Whatever it starts ends
 * with it when it takes too long, or the signal is aborted.
 */
export async function runOperatorCommand(
  given: OperatorCommand,
  signal: AbortSignal,
): Promise<CommandFailure> {
  if (process.platform === 'win32') return 'commands need /bin/sh, which Windows does not have'
  if (signal.aborted) return 'it was interrupted'
  const { command, cwd, timeoutMs } = given
  let child: ChildProcess
  let input: number | undefined
  try {
    input = openPrivateInput(given.input, given.env)
    child = spawn('/bin/sh', ['-c', underPrivateUmask, 'sh', command], {
      cwd,
      env: { ...withoutOwnVariables(given.env), ...given.own },
      detached: true,
      stdio: [input, 'pipe', 'pipe'],
    })
  } catch (error) {
    return `it could not be started (${codeOf(error)})`
  } finally {
    if (input !== undefined) closeSync(input)
  }
  readLines(child, given.onLine)
  return ended(child, timeoutMs, signal)
}

async function ended(child: ChildProcess, timeoutMs: number, signal: AbortSignal): Promise<CommandFailure> {
  let stopped: string | undefined
  let killTimer: NodeJS.Timeout | undefined
  const stop = (why: string): void => {
    stopped ??= why
    killGroup(child, 'SIGTERM')
    killTimer ??= setTimeout(() => killGroup(child, 'SIGKILL'), killAfterMs)
  }
  const interrupt = (): void => stop('it was interrupted')
  const timer = setTimeout(() => stop(`it took longer than ${timeoutMs / 1000} s`), timeoutMs)
  signal.addEventListener('abort', interrupt)
  try {
    const failure = await new Promise<CommandFailure>((done) => {
      child.once('error', (error) => done(`it could not be started (${codeOf(error)})`))
      child.once('exit', (status, by) => {
        if (status === 0) done(undefined)
        else done(status === null ? `it was ended by ${by ?? 'a signal'}` : `it exited with ${status}`)
      })
    })
    // The group outlives its leader.
    if (stopped !== undefined) killGroup(child, 'SIGKILL')
    await drained(child)
    return stopped ?? failure
  } finally {
    clearTimeout(timer)
    clearTimeout(killTimer)
    signal.removeEventListener('abort', interrupt)
  }
}

function killGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}

/** Waits for the end of the output, but not for a process that was left in the background. */
async function drained(child: ChildProcess): Promise<void> {
  const outputs = [child.stdout, child.stderr].filter((one) => one !== null)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((done) => (timer = setTimeout(done, drainMs)))
  const open = outputs.filter(({ closed }) => !closed)
  const closed = open.map((one) => new Promise((done) => one.once('close', done)))
  await Promise.race([Promise.all(closed), late])
  clearTimeout(timer)
  for (const output of outputs) output.destroy()
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let count = 0
  const show = (line: string): void => {
    if (count++ < mostLines) onLine(line)
    else if (count === mostLines + 2) onLine('(what it printed after this is not shown)')
  }
  for (const output of [child.stdout, child.stderr]) if (output) splitLines(output, show)
}

function splitLines(output: Readable, show: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let dropping = false
  const take = (text: string): void => {
    const [first = '', ...others] = text.split('\n')
    const grow = (more: string): void => {
      if (dropping) return
      rest += more
      if (rest.length <= longestLine) return
      rest = rest.slice(0, longestLine)
      dropping = true
    }
    grow(first)
    for (const other of others) {
      show(rest)
      rest = ''
      dropping = false
      grow(other)
    }
  }
  output.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
  output.on('error', () => undefined)
  output.on('close', () => {
    take(decoder.end())
    if (rest !== '') show(rest)
    rest = ''
  })
}
