import { asksForJson, errorLine } from './error-line.js'
import { exitCodes } from './exit-codes.js'
import { isAsking } from './io/prompt.js'
import { openOutput } from './io/standard-output.js'
import type { World } from './system.js'

/** Runs this process's command line, and lets the process end with its exit code. */
export function runProcess(main: (args: readonly string[], world: World) => Promise<number>): void {
  const args = process.argv.slice(2)
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second one means it: end at once, whatever is still going on.
      if (interruption.signal.aborted)
        process.exit(signal === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted)
      interruption.abort(signal)
    })
  }
  // What cannot be written was not done, but a reader that went away, as `head` does, is no failure.
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
  const world: World = {
    env: process.env,
    cwd: process.cwd(),
    stdin: () => process.stdin,
    stdout,
    stderr,
    signal: interruption.signal,
  }
  let ended = false
  process.on('exit', (exitCode) => {
    // Node.js ends a process that has nothing left to wait for, with 0.
    if (ended || exitCode !== 0) return
    const asking = isAsking()
    process.exitCode = asking ? exitCodes.interrupted : exitCodes.bug
    const what = asking ? 'with a question open' : 'before the command did'
    const message = `this is a bug in a2a-totp: it ended ${what}; please report it`
    stderr.write(`${asking ? '\n' : ''}${errorLine({ code: 'ERR_INTERNAL', message }, asksForJson(args))}`)
  })
  void main(args, world).then((exitCode) => {
    ended = true
    process.exitCode ??= exitCode
    // What was left to itself would keep the process alive.
    if (interruption.signal.aborted) process.exit()
  })
}
