import { count } from '../../../core/text.js'
import type { ProbeOptions, ProbeProgress } from '../../../probe/index.js'
import type { CliContext } from '../../context.js'

/** The line that a terminal shows while a probe runs. */
export interface ProgressLine {
  /** A request was answered, or a wait began or ended. */
  readonly update: (state: ProbeProgress) => void
  /** The latest remark of the run, which stays behind the count. */
  readonly remark: (text: string) => void
  /** Ends the countdown. */
  readonly stop: () => void
}

/** Shows how far a run is while it lasts. */
export async function duringProbe<T>(
  context: Pick<CliContext, 'progress' | 'now'>,
  work: (telling: Required<Pick<ProbeOptions, 'announce' | 'progress'>>) => Promise<T>,
): Promise<T> {
  return context.progress.during('probing', async (say, show) => {
    const line = progressLine(show, context.now)
    const announce = (text: string): void => {
      say(text)
      line.remark(text)
    }
    try {
      return await work({ announce, progress: line.update })
    } finally {
      line.stop()
    }
  })
}

/** Counts requests, and counts the seconds of a wait down. */
export function progressLine(show: (text: string) => void, now: () => Date): ProgressLine {
  let state: ProbeProgress = { done: 0 }
  let remark = ''
  let ticking: NodeJS.Timeout | undefined
  const draw = (): void => show(textOf(state, remark, now()))
  const stop = (): void => {
    clearInterval(ticking)
    ticking = undefined
  }
  return {
    update(next) {
      state = next
      // What a run announced is about its wait.
      if (state.waitingUntil === undefined) {
        remark = ''
        stop()
      } else ticking ??= setInterval(draw, 1000).unref()
      draw()
    },
    remark(text) {
      remark = text
      draw()
    },
    stop,
  }
}

function textOf({ done, planned, waitingUntil, what }: ProbeProgress, remark: string, at: Date): string {
  const requests =
    planned === undefined ? count(done, 'request') : `${done} of about ${count(planned, 'request')}`
  const parts = [`probing: ${requests}`]
  if (waitingUntil !== undefined) {
    const seconds = Math.max(0, Math.ceil((waitingUntil.getTime() - at.getTime()) / 1000))
    parts.push(`${seconds} s left to wait${what === undefined ? '' : ` for ${what}`}`)
  }
  return [...parts, ...(remark === '' || waitingUntil !== undefined ? [] : [remark])].join(', ')
}
