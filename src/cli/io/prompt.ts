import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { printable } from '../../core/text.js'
import type { CliStream } from './output.js'
import { TypedLine } from './typed-line.js'

/** Standard input, where it is a terminal. A test's idea of one has no `fd`. */
export interface TerminalInput extends Readable {
  readonly fd?: number
  setRawMode(on: boolean): unknown
}

/** A terminal to ask at: what is typed comes from `stdin`, the question goes to stderr. */
export interface Asking {
  readonly stdin: TerminalInput
  readonly stderr: CliStream
  readonly signal: AbortSignal
  /** Keeps what is typed off the screen. */
  readonly hidden?: boolean
}

const windows = process.platform === 'win32'

/** Signals that stop or end a process by default. The terminal is given back before they do. */
const leaving = windows ? [] : (['SIGTSTP', 'SIGHUP', 'SIGQUIT'] as const)

let asking = false

/** Whether a question is open. */
export const isAsking = (): boolean => asking

/**
 * Asks a person one question and returns the line that was typed; undefined for Ctrl-D, or if the terminal is gone.
 *
 * A visible answer is edited by the terminal itself, as in any other program. Node.js can hide an answer only in raw
 * mode, where editing, Ctrl-C and Ctrl-Z are up to the program. `node:readline` does that, but it stops reading after
 * Ctrl-Z and `fg`, and then nothing keeps the process alive.
 *
 * @throws when the signal is aborted
 */
export async function ask(
  question: string,
  { stdin, stderr, signal, hidden = false }: Asking,
): Promise<string | undefined> {
  const { isatty } = await import('node:tty')
  signal.throwIfAborted()
  if (stdin.readableEnded || stdin.destroyed) return undefined
  let answer!: (line: string | undefined) => void
  let fail!: (error: Error) => void
  const answered = new Promise<string | undefined>((...settle) => ([answer, fail] = settle))
  let typed = new TypedLine()
  let open = true
  let held = false
  let unlessStopped: NodeJS.Timeout | undefined
  let given: string | undefined

  /** Takes the terminal, and asks. What was typed before is dropped. */
  function hold(): void {
    clearTimeout(unlessStopped)
    typed = new TypedLine()
    if (!held) for (const name of leaving) process.on(name, leave)
    held = true
    if (hidden) {
      // Both ways: libuv skips a mode that it has set before, and a shell may have set another in between.
      stdin.setRawMode(false)
      stdin.setRawMode(true)
    }
    stderr.write(`\r${printable(question)} `)
  }

  /** Gives the terminal back. */
  function release(): void {
    if (!held) return
    held = false
    for (const name of leaving) process.off(name, leave)
    if (!hidden) return
    // Node.js does it at the end of the process anyway, and in the background this would stop the process.
    if (!signal.aborted) stdin.setRawMode(false)
    stderr.write('\n')
  }

  /** Lets a signal do what it does by default, to this process or (0) to its whole job. */
  function raise(name: NodeJS.Signals, pid: number): void {
    clearTimeout(unlessStopped)
    process.kill(pid, name)
    // A signal to stop does nothing to a process that no shell could continue.
    unlessStopped = setTimeout(hold, 100)
  }

  function leave(name: NodeJS.Signals): void {
    release()
    raise(name, process.pid)
  }

  /** What a terminal does for a key when it is not in raw mode. */
  function press(name: NodeJS.Signals): void {
    if (windows) {
      if (name === 'SIGINT') process.emit(name, name)
      return
    }
    release()
    raise(name, 0)
  }

  function start(): void {
    if (!open) return
    // To read would stop the job as well, but only once somebody types.
    if (inBackground(stdin)) raise('SIGTTIN', 0)
    else hold()
  }

  // Later, so that a SIGTERM that came with it, as from `kill %1`, is heard first.
  function resume(): void {
    setImmediate(start)
  }

  function read(chunk: Uint8Array): void {
    const key = typed.add(chunk)
    if (key?.kind === 'line') answer(key.line)
    else if (key?.kind === 'end') answer(undefined)
    else if (key?.kind === 'signal') press(key.signal)
  }

  function lose(): void {
    // Node.js aborts as it ends where its terminal is gone, and may leave a core file.
    if (open && !windows && stdin.fd !== undefined && !isatty(stdin.fd)) leave('SIGHUP')
    answer(undefined)
  }

  function interrupt(): void {
    if (inBackground(stdin)) process.once('exit', dieInBackground)
    fail(new Error('interrupted'))
  }

  /** At its end Node.js restores the terminal, which would stop the process in the background. */
  function dieInBackground(): void {
    const name = signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'
    process.removeAllListeners(name)
    process.kill(process.pid, name)
  }

  asking = true
  signal.addEventListener('abort', interrupt)
  process.on('SIGCONT', resume)
  // Never taken off again: what happens to a terminal that nobody is asked at is no error.
  stdin.on('error', lose).on('end', lose).on('data', read)
  try {
    start()
    stdin.resume()
    given = await answered
    return given
  } finally {
    open = false
    asking = false
    stdin.pause().off('end', lose).off('data', read)
    process.off('SIGCONT', resume)
    signal.removeEventListener('abort', interrupt)
    clearTimeout(unlessStopped)
    release()
    // Enter is shown by the terminal.
    if (!hidden && given === undefined) stderr.write('\n')
  }
}

/** Whether a shell has put this process in the background. Where the system has no `/proc`, the answer is no. */
function inBackground({ fd }: TerminalInput): boolean {
  if (fd === undefined) return false
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    // The name of the program, in brackets, may hold anything.
    const [, , job, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return foreground !== '-1' && foreground !== job
  } catch {
    return false
  }
}
