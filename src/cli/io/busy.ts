import { printable } from '../../core/text.js'
import type { Output } from './output.js'
import type { Spinner } from './terminal.js'

/** Shows a person at a terminal that something takes its time; elsewhere it says nothing. */
export interface Busy {
  /** From here on. Shown at once, because some work lets no timer run before it is over. */
  start(text: string): Promise<void>
  stop(): void
  /** While this work is done. It may say how far it is, which is a remark where no spinner turns. */
  during<T>(text: string, work: (say: (text: string) => void) => Promise<T>): Promise<T>
}

export function createBusy(output: Output): Busy {
  let spinner: Spinner | undefined
  const busy: Busy = {
    async start(text) {
      if (!output.talksToPerson) return
      const { startSpinner } = await import('./terminal.js')
      spinner?.stop()
      spinner = startSpinner(printable(text))
    },
    stop() {
      spinner?.stop()
      spinner = undefined
    },
    async during(text, work) {
      await busy.start(text)
      try {
        return await work((news) => {
          if (spinner) spinner.say(printable(news))
          else output.say(news)
        })
      } finally {
        busy.stop()
      }
    },
  }
  return busy
}
