import chalk from 'chalk'
import ora from 'ora'

/** What only a person at a terminal gets to see. A bundle of its own: scripts should not pay for it. */
export interface Spinner {
  say(text: string): void
  stop(): void
}

/** Turns on stderr until it is stopped. The caller has made sure that stderr is a terminal with a width. */
export function startSpinner(text: string): Spinner {
  // A hidden cursor would stay hidden when Ctrl-Z or SIGKILL comes.
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

/** A bar that empties while a code lives. */
export function countdown(secondsLeft: number, period: number): string {
  const width = 10
  const full = Math.ceil((secondsLeft / period) * width)
  const bar = '━'.repeat(full) + chalk.dim('━'.repeat(width - full))
  const paint = secondsLeft <= 5 ? chalk.yellow : chalk.green
  return `${paint(bar)} ${String(secondsLeft).padStart(3)} s`
}
