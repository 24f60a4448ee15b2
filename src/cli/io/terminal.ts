import chalk from 'chalk'
import ora from 'ora'

/** What is shown only at a terminal. Loaded lazily, so that scripts do not pay for it. */
export interface Spinner {
  say(text: string): void
  stop(): void
}

/** Starts a spinner on stderr. The caller has checked that stderr is a terminal with a width. */
export function startSpinner(text: string): Spinner {
  // A hidden cursor would stay hidden after Ctrl-Z or SIGKILL.
  const spinner = ora({ text, stream: process.stderr, discardStdin: false, hideCursor: false }).start()
  return {
    say(next) {
      spinner.text = next
    },
    stop() {
      spinner.stop()
    },
  }
}

/** A bar that empties over the lifetime of a code. */
export function countdown(secondsLeft: number, period: number): string {
  const width = 10
  const full = Math.ceil((secondsLeft / period) * width)
  const bar = '━'.repeat(full) + chalk.dim('━'.repeat(width - full))
  const paint = secondsLeft <= 5 ? chalk.yellow : chalk.green
  return `${paint(bar)} ${String(secondsLeft).padStart(3)} s`
}
