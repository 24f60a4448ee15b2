import { setTimeout as timer } from 'node:timers/promises'
import { TOTPError } from '../../core/errors.js'
import type { CodeProfile } from '../../core/profile.js'
import { endOfStep, timeStepAt } from '../../core/totp.js'

/** A request that has to wait for a time step of its own. */
export interface Wait {
  /** How long it waits, in milliseconds. */
  readonly waitMs: number
  /** The time step that it waits for. */
  readonly timeStep: number
}

/** A clock that can wait. */
export interface Clock {
  readonly now: () => Date
  /** Resolves after the given milliseconds; may reject when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export interface StepQueueOptions extends Clock {
  readonly profile: Pick<CodeProfile, 'period'>
  readonly maxWaitMs: number
  /** How many requests may wait at a time; by default any number. */
  readonly maxQueued?: number
  readonly onWait: (wait: Wait) => void
}

export interface AttemptOptions {
  /** Aborts the wait. */
  readonly signal?: AbortSignal | undefined
  /** When the agent accepts a code again (`Retry-After`). */
  readonly notBefore?: Date | undefined
}

/** No time step for a request in time, or too many wait for one already. */
export class StepSpentError extends TOTPError {
  /** @param freeInMs when the next step begins that this request could have, as far as it is known */
  constructor(
    readonly why: 'wait' | 'queue',
    readonly freeInMs: number,
    message: string,
  ) {
    super('ERR_STEP_SPENT', message)
  }
}

/**
 * By how many time steps the last one may be ahead of the clock: twice the largest window. If the clock was set back by more,
 * an agent that accepted the last step refuses those of now anyway, and one that accepts those of now did not accept it. So
 * there is nothing to wait for, and a clock that was an hour ahead costs no hour.
 */
const mostAhead = 4

/** Waits in real time. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await timer(ms, undefined, { signal })
}

/**
 * Assigns each request a time step of its own, in the order of the requests. Steps only increase: to the agent, a used
 * step and all older ones are spent (RFC 6238 §5.2). Only where the clock is set back by minutes they begin anew.
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
   * Waits for an unused time step, and spends it.
   *
   * @throws {StepSpentError} immediately, if the wait would exceed the limit, or too many wait already; or the reason of
   *   the aborted signal. Neither spends a step.
   */
  async next({ signal, notBefore }: AttemptOptions = {}): Promise<number> {
    signal?.throwIfAborted()
    this.#requireRoom(this.#requireSoon(this.#earliest(notBefore) + this.#queued))
    const previous = this.#turn
    let leave = (): void => undefined
    const mine = new Promise<void>((done) => (leave = done))
    // An aborted request leaves at once, but those behind it still wait for the ones in front.
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

  /**
   * Returns the current time step at once, for a signed request: any number of those may share a step. Requests that are
   * not signed then need a later one.
   *
   * @throws {TOTPError} as {@link next}; it waits for `notBefore` alone
   */
  async share({ signal, notBefore }: AttemptOptions = {}): Promise<number> {
    const { profile, now, sleep } = this.#options
    signal?.throwIfAborted()
    const waitMs = (notBefore?.getTime() ?? 0) - now().getTime()
    if (notBefore !== undefined && waitMs > 0) {
      this.#requireSoon(timeStepAt(profile, notBefore))
      await unlessAborted(sleep(waitMs, signal), signal)
    }
    const timeStep = timeStepAt(profile, now())
    this.#last = Math.max(this.#last, timeStep)
    return timeStep
  }

  async #spend(notBefore: Date | undefined, signal: AbortSignal | undefined): Promise<number> {
    const { onWait, sleep } = this.#options
    let announced = false
    for (;;) {
      const timeStep = this.#earliest(notBefore)
      const waitMs = this.#requireSoon(timeStep)
      if (waitMs <= 0) return (this.#last = timeStep)
      if (!announced) onWait({ waitMs, timeStep })
      announced = true
      await unlessAborted(sleep(waitMs, signal), signal)
    }
  }

  /** The first unused time step, the current one included. */
  #earliest(notBefore?: Date): number {
    const { profile, now } = this.#options
    const at = now()
    if (this.#last - timeStepAt(profile, at) > mostAhead) this.#last = -1
    const from = notBefore !== undefined && notBefore > at ? notBefore : at
    return Math.max(timeStepAt(profile, from), this.#last + 1)
  }

  /** How long until a step begins, zero or less if it has begun; throws if longer than the limit. */
  #requireSoon(timeStep: number): number {
    const { maxWaitMs } = this.#options
    const waitMs = this.#waitFor(timeStep)
    if (waitMs <= maxWaitMs) return waitMs
    throw new StepSpentError(
      'wait',
      waitMs,
      `under replay policy once each request needs a time step of its own, and the next free one begins in ${Math.ceil(waitMs / 1000)} s; send fewer requests at a time, or raise maxWaitMs`,
    )
  }

  /** @param waitMs how long the request would wait */
  #requireRoom(waitMs: number): void {
    const { maxQueued = Infinity } = this.#options
    // The first in the queue does not wait if its step has begun.
    const waiting = this.#waitFor(this.#earliest()) > 0 ? this.#queued : Math.max(0, this.#queued - 1)
    if (waitMs <= 0 || waiting < maxQueued) return
    throw new StepSpentError(
      'queue',
      waitMs,
      `under replay policy once each request needs a time step of its own, and ${waiting} already wait for one; send fewer requests at a time, or raise maxQueued`,
    )
  }

  #waitFor(timeStep: number): number {
    const { profile, now } = this.#options
    return endOfStep(profile, timeStep - 1).getTime() - now().getTime()
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
