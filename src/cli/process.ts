import { asksForJson, errorLine, exitCodes } from './errors.js'
import { TOTPError } from '../core/errors.js'
import { whenReaderLeaves } from './io/reader.js'
import { openOutput } from './io/stdio.js'
import type { System } from './system.js'

/** Signals that end this process at once, unless a command passes them on to the program that it runs. */
const passedOn: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGHUP', 'SIGBREAK'] : ['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']

/** Runs the command line of this process, and lets the process end with its exit code. */
export function runProcess(main: (args: readonly string[], system: System) => Promise<number>): void {
  const args = process.argv.slice(2)
  const interruption = new AbortController()
  let receive: ((signal: NodeJS.Signals) => void) | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (receive) {
        receive(signal)
        return
      }
      // The second one ends the process at once, whatever is still going on.
      if (interruption.signal.aborted)
        process.exit(signal === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted)
      interruption.abort(signal)
    })
  }
  // A result that cannot be written is a failure; a reader that went away, as `head` does, is not.
  const stderr = openOutput(2, ({ code }) => {
    if (code !== 'EPIPE') process.exitCode = exitCodes.unusable
  })
  const stdout = openOutput(1, ({ code }) => {
    if (code === 'EPIPE') {
      interruption.abort('EPIPE')
      return
    }
    process.exitCode = exitCodes.unusable
    const message = `cannot write to standard output: ${code ?? 'unknown reason'}`
    stderr.write(errorLine({ code: 'ERR_FILE_UNWRITABLE', message }, asksForJson(args)))
  })
  let asking = false
  let ended = false
  process.on('exit', (exitCode) => {
    // Node.js exits with 0 when nothing is left to wait for.
    if (ended || exitCode !== 0) return
    process.exitCode = asking ? exitCodes.interrupted : exitCodes.bug
    const what = asking ? 'with a question open' : 'before the command did'
    const message = `this is a bug in a2a-totp: it ended ${what}; please report it`
    stderr.write(`${asking ? '\n' : ''}${errorLine({ code: 'ERR_INTERNAL', message }, asksForJson(args))}`)
  })
  const system: System = {
    env: process.env,
    get cwd() {
      return workingDirectory()
    },
    stdin: () => process.stdin,
    stdout,
    stderr,
    signal: interruption.signal,
    watchReader: () => whenReaderLeaves(() => interruption.abort('EPIPE')),
    onQuestion: (open) => (asking = open),
    onSignal(receiver) {
      receive = receiver
      for (const signal of passedOn) process.on(signal, () => receiver(signal))
    },
    onHangUp(receiver) {
      process.on('SIGHUP', receiver)
      return () => void process.off('SIGHUP', receiver)
    },
  }
  void main(args, system).then((exitCode) => {
    ended = true
    process.exitCode ??= exitCode
    // Abandoned work would keep the process alive.
    if (interruption.signal.aborted) process.exit()
  })
}

/** Asked for only where it matters: a store with an absolute path needs none. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    throw new TOTPError(
      'ERR_FILE_UNREADABLE',
      'the working directory does not exist any more; change to another one, or use absolute paths',
    )
  }
}
