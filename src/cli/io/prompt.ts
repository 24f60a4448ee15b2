import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { printable } from '../../core/text.js'
import type { CliStream } from './output.js'
import { TypedLine } from './typed-line.js'

/** Standard input, if it is a terminal. A test's stand-in has no `fd`. */
export interface TerminalInput extends Readable {
  readonly fd?: number
  setRawMode(on: boolean): unknown
}

/** A terminal to ask at: the answer comes from `stdin`, the question goes to stderr. */
export interface Asking {
  readonly stdin: TerminalInput
  readonly stderr: CliStream
  readonly signal: AbortSignal
  /** Does not echo what is typed. */
  readonly hidden?: boolean
  /** Called with true when the question opens, with false when it is over. */
  readonly onQuestion?: (open: boolean) => void
}

/**
 * Asks one question and returns the line that was typed; undefined for Ctrl-D, or if the terminal is gone.
 *
 * A visible answer is edited by the terminal itself, as in any other program. Node.js can hide an answer only in raw
 * mode, where editing, Ctrl-C and Ctrl-Z are up to the program. `node:readline` does that, but it stops reading after
 * Ctrl-Z and `fg`, and then nothing keeps the process alive.
 *
 * @throws when the signal is aborted
 */
export async function ask(question: string, asking: Asking): Promise<string | undefined> {
  const { isatty } = await import('node:tty')
  asking.signal.throwIfAborted()
  if (asking.stdin.readableEnded || asking.stdin.destroyed) return undefined
  return new Prompt(question, asking, isatty).answer()
}

const windows = process.platform === 'win32'

/** Signals that stop or end a process by default. The terminal is released before they do. */
const leaving = windows ? [] : (['SIGTSTP', 'SIGHUP', 'SIGQUIT'] as const)

/** One question, from the moment it is put until it is answered or given up. */
class Prompt {
  readonly #question: string
  readonly #asking: Asking
  readonly #isatty: (fd: number) => boolean
  readonly #answered: Promise<string | undefined>
  #answer!: (line: string | undefined) => void
  #fail!: (error: Error) => void
  #typed = new TypedLine()
  #open = true
  /** Whether the terminal is in use for the question. */
  #held = false
  #unlessStopped: NodeJS.Timeout | undefined

  constructor(question: string, asking: Asking, isatty: (fd: number) => boolean) {
    this.#question = question
    this.#asking = asking
    this.#isatty = isatty
    this.#answered = new Promise((...settle) => ([this.#answer, this.#fail] = settle))
  }

  async answer(): Promise<string | undefined> {
    const { stdin, stderr, signal, hidden, onQuestion } = this.#asking
    let line: string | undefined
    onQuestion?.(true)
    signal.addEventListener('abort', this.#interrupt)
    process.on('SIGCONT', this.#resume)
    // The error listener is never removed: what happens to the terminal later is not an error.
    stdin.on('error', this.#lose).on('end', this.#lose).on('data', this.#read)
    try {
      this.#start()
      stdin.resume()
      line = await this.#answered
      return line
    } finally {
      this.#open = false
      onQuestion?.(false)
      stdin.pause().off('end', this.#lose).off('data', this.#read)
      process.off('SIGCONT', this.#resume)
      signal.removeEventListener('abort', this.#interrupt)
      clearTimeout(this.#unlessStopped)
      this.#release()
      // The terminal itself echoes Enter.
      if (!hidden && line === undefined) stderr.write('\n')
    }
  }

  #start(): void {
    if (!this.#open) return
    // Reading would stop the job as well, but only once somebody types.
    if (inBackground(this.#asking.stdin)) this.#raise('SIGTTIN', 0)
    else this.#hold()
  }

  /** Takes the terminal, and asks. What was typed before is dropped. */
  #hold = (): void => {
    const { stdin, stderr, hidden } = this.#asking
    clearTimeout(this.#unlessStopped)
    this.#typed = new TypedLine()
    if (!this.#held) for (const name of leaving) process.on(name, this.#leave)
    this.#held = true
    if (hidden) {
      // Both, because libuv skips a mode that it has set before, and a shell may have set another in between.
      stdin.setRawMode(false)
      stdin.setRawMode(true)
    }
    stderr.write(`\r${printable(this.#question)} `)
  }

  /** Gives the terminal back. */
  #release(): void {
    const { stdin, stderr, signal, hidden } = this.#asking
    if (!this.#held) return
    this.#held = false
    for (const name of leaving) process.off(name, this.#leave)
    if (!hidden) return
    // Node.js does it at the end of the process anyway, and in the background this would stop the process.
    if (!signal.aborted) stdin.setRawMode(false)
    stderr.write('\n')
  }

  /** Lets a signal have its default effect, on this process or (0) on its whole job. */
  #raise(name: NodeJS.Signals, pid: number): void {
    clearTimeout(this.#unlessStopped)
    process.kill(pid, name)
    // A stop signal has no effect on a process that no shell could continue.
    this.#unlessStopped = setTimeout(this.#hold, 100)
  }

  #leave = (name: NodeJS.Signals): void => {
    this.#release()
    this.#raise(name, process.pid)
  }

  /** Does what a terminal does for a key when it is not in raw mode. */
  #press(name: NodeJS.Signals): void {
    if (windows) {
      if (name === 'SIGINT') process.emit(name, name)
      return
    }
    this.#release()
    this.#raise(name, 0)
  }

  // Later, so that a SIGTERM that came with it, as from `kill %1`, is handled first.
  #resume = (): void => {
    setImmediate(() => this.#start())
  }

  #read = (chunk: Uint8Array): void => {
    const key = this.#typed.add(chunk)
    if (key?.kind === 'line') this.#answer(key.line)
    else if (key?.kind === 'end') this.#answer(undefined)
    else if (key?.kind === 'signal') this.#press(key.signal)
  }

  #lose = (): void => {
    const { fd } = this.#asking.stdin
    // Node.js aborts at its end if its terminal is gone, and may leave a core file.
    if (this.#open && !windows && fd !== undefined && !this.#isatty(fd)) this.#leave('SIGHUP')
    this.#answer(undefined)
  }

  #interrupt = (): void => {
    const { stdin, signal } = this.#asking
    if (inBackground(stdin)) process.once('exit', () => dieInBackground(signal))
    this.#fail(new Error('interrupted'))
  }
}

/** At its end Node.js restores the terminal, which would stop the process in the background. */
function dieInBackground({ reason }: AbortSignal): void {
  const name = reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'
  process.removeAllListeners(name)
  process.kill(process.pid, name)
}

/** Whether a shell has put this process in the background. On systems without `/proc` the answer is no. */
function inBackground({ fd }: TerminalInput): boolean {
  if (fd === undefined) return false
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    // The name of the program, in brackets, may contain anything.
    const [, , job, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return foreground !== '-1' && foreground !== job
  } catch {
    return false
  }
}
