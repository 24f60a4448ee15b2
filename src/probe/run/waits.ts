import { setTimeout as realSleep } from 'node:timers/promises'
import type { ProbeOptions } from '../options.js'
import { DeadlinePassed, type Deadline } from './deadline.js'
import type { Progress } from './progress.js'

/** How a run waits. */
export interface Waits {
  /** By the clock of `now`; a person is told what for. */
  readonly sleep: (ms: number, what?: string) => Promise<void>
  /** Between requests, in real time. */
  readonly pause: (ms: number) => Promise<void>
}

/** The waits of a run, none of which outlives its deadline. */
export function waitsOf(
  options: Pick<ProbeOptions, 'sleep' | 'pause'>,
  deadline: Deadline,
  progress: Progress,
): Waits {
  const inRealTime = async (ms: number): Promise<void> => {
    await realSleep(ms, undefined, { signal: deadline.signal })
  }
  const waits =
    (wait: (ms: number) => Promise<void>) =>
    async (ms: number): Promise<void> => {
      // What comes after it would come too late, so there is nothing to wait for.
      if (!deadline.fits(ms)) deadline.pass()
      await deadline.within(wait(ms))
    }
  const sleep = waits(options.sleep ?? inRealTime)
  return {
    sleep: (ms, what) => progress.during(ms, what, sleep),
    pause: waits(options.pause ?? inRealTime),
  }
}

/** What work returns, or undefined when the deadline passed before. */
export async function inTime<T>(deadline: Deadline, work: Promise<T>): Promise<T | undefined> {
  try {
    return await deadline.within(work)
  } catch (error) {
    if (error instanceof DeadlinePassed) return undefined
    throw error
  }
}
