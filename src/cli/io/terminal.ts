import chalk from 'chalk'
import ora from 'ora'

const asciiSpinner = { interval: 130, frames: ['-', '\\', '|', '/'] }

/** What is shown only at a terminal. Loaded lazily, so that scripts do not pay for it. */
export interface Spinner {
  say(text: string): void
  stop(): void
}

/** Starts a spinner on stderr. The caller has checked that stderr is a terminal with a width. */
export function startSpinner(text: string, unicode: boolean): Spinner {
  const spinner = ora({
    text,
    stream: process.stderr,
    discardStdin: false,
    // A hidden cursor would stay hidden after Ctrl-Z or SIGKILL.
    hideCursor: false,
    ...(unicode ? {} : { spinner: asciiSpinner }),
  }).start()
  return {
    say(next) {
      spinner.text = next
    },
    stop() {
      spinner.stop()
    },
  }
}

const barWidth = 10

/** The cells that {@link countdown} takes. */
export const countdownWidth = barWidth + ' 119 s'.length

/** A bar that empties over the lifetime of a code. */
export function countdown(secondsLeft: number, period: number, unicode: boolean): string {
  const full = Math.ceil((secondsLeft / period) * barWidth)
  const [on, off] = unicode ? ['━', '━'] : ['#', '-']
  const bar = on.repeat(full) + chalk.dim(off.repeat(barWidth - full))
  const paint = secondsLeft <= 5 ? chalk.yellow : chalk.green
  return `${paint(bar)} ${String(secondsLeft).padStart(3)} s`
}
