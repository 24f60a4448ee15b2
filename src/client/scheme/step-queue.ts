import { setTimeout as timer } from 'node:timers/promises'
import { TOTPError } from '../../core/errors.js'
import type { CodeProfile } from '../../core/profile.js'
import { endOfStep, timeStepAt } from '../../core/totp.js'

/** A request that has to wait for a time step of its own. */
export interface Wait {
  readonly waitMs: number
  /** The step that it waits for. */
  readonly timeStep: number
}

/** The clock, as far as waiting goes. */
export interface Clock {
  readonly now: () => Date
  /** Resolves after so many milliseconds; may reject once the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export interface StepQueueOptions extends Clock {
  readonly profile: Pick<CodeProfile, 'period'>
  readonly maxWaitMs: number
  readonly onWait: (wait: Wait) => void
}

export interface AttemptOptions {
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined
  /** The earliest instant at which the agent takes a code again: `Retry-After`. */
  readonly notBefore?: Date | undefined
}

/** Sleeps in real time. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await timer(ms, undefined, { signal })
}

/**
 * Gives each request a time step that no other has, in the order in which they ask. The steps only ever rise, because
 * the agent takes a used step and every older one for spent (RFC 6238 §5.2).
 */
export class StepQueue {
  readonly #options: StepQueueOptions
  #last = -1
  #queued = 0
  #turn = Promise.resolve()

  constructor(options: StepQueueOptions) {
    this.#options = options
  }

  /**
   * Waits until there is an unused time step, and spends it.
   *
   * @throws {TOTPError} `ERR_STEP_SPENT`, at once, when the wait would be longer than the limit; and whatever the
   *   signal was aborted with. Neither spends a step.
   */
  async next({ signal, notBefore }: AttemptOptions = {}): Promise<number> {
    signal?.throwIfAborted()
    this.#requireSoon(this.#earliest(notBefore) + this.#queued)
    const previous = this.#turn
    let leave = (): void => undefined
    const mine = new Promise<void>((done) => (leave = done))
    // One who gives up leaves at once, but whoever comes after still waits for those in front.
    this.#turn = previous.then(() => mine)
    this.#queued++
    try {
      await unlessAborted(previous, signal)
      return await this.#spend(notBefore, signal)
    } finally {
      this.#queued--
      leave()
    }
  }

  async #spend(notBefore: Date | undefined, signal: AbortSignal | undefined): Promise<number> {
    const { onWait, sleep } = this.#options
    let said = false
    for (;;) {
      const timeStep = this.#earliest(notBefore)
      const waitMs = this.#requireSoon(timeStep)
      if (waitMs <= 0) return (this.#last = timeStep)
      if (!said) onWait({ waitMs, timeStep })
      said = true
      await unlessAborted(sleep(waitMs, signal), signal)
    }
  }

  /** The first step, from now on, that nobody has used. */
  #earliest(notBefore?: Date): number {
    const { profile, now } = this.#options
    const at = now()
    const from = notBefore !== undefined && notBefore > at ? notBefore : at
    return Math.max(timeStepAt(profile, from), this.#last + 1)
  }

  /** How long it is until a step begins; not positive when it did. */
  #requireSoon(timeStep: number): number {
    const { profile, now, maxWaitMs } = this.#options
    const waitMs = endOfStep(profile, timeStep - 1).getTime() - now().getTime()
    if (waitMs <= maxWaitMs) return waitMs
    throw new TOTPError(
      'ERR_STEP_SPENT',
      `under replay policy once each request needs a time step of its own, and the next free one begins in ${Math.ceil(waitMs / 1000)} s: send fewer requests at a time, or raise maxWaitMs`,
    )
  }
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work
  let stop = (): void => undefined
  const aborted = new Promise<void>((done) => (stop = done))
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
    signal.throwIfAborted()
  }
}
