import { printable } from '../../core/text.js'
import type { Output } from './output.js'
import type { Spinner } from './terminal.js'

/** Shows at a terminal that work is going on; elsewhere it prints nothing. */
export interface Progress {
  /** Starts the spinner at once, because some work blocks timers until it is done. */
  start(text: string): Promise<void>
  stop(): void
  /**
   * Shows progress while the work runs. `say` updates the text; without a spinner it prints a remark. `show` updates the
   * text too, and without a spinner prints nothing, for what changes often.
   */
  during<T>(
    text: string,
    work: (say: (text: string) => void, show: (text: string) => void) => Promise<T>,
  ): Promise<T>
}

export function createProgress(output: Output): Progress {
  let spinner: Spinner | undefined
  const progress: Progress = {
    async start(text) {
      if (!output.talksToPerson) return
      const { startSpinner } = await import('./terminal.js')
      spinner?.stop()
      spinner = startSpinner(printable(text), output.unicode)
    },
    stop() {
      spinner?.stop()
      spinner = undefined
    },
    async during(text, work) {
      await progress.start(text)
      try {
        const show = (news: string): void => spinner?.say(printable(news))
        return await work((news) => {
          if (spinner) show(news)
          else output.say(news)
        }, show)
      } finally {
        progress.stop()
      }
    },
  }
  return progress
}
