/** After an hour one request may show whether the agent accepts these credentials again. */
const triesAgainAfterMs = 3_600_000

/** A wrong seed, tried again and again, uses up the guesses that the agent allows its peer. */
const mostRefusedCodes = 3

export interface BreakerOptions {
  readonly now: () => Date
  onOpen(): void
  onClose(): void
}

/**
 * Stops what is sent once the agent has refused three different codes, one a time step, and accepted none in between.
 * Nothing more goes out then until the credentials change, or for one request an hour.
 */
export class Breaker {
  readonly #options: BreakerOptions
  /** The codes, and when each was refused. One of long ago says nothing about the credentials of now. */
  readonly #refused = new Map<string, number>()
  #acceptedAt = -Infinity
  #openedAt: number | undefined
  #epoch = 0

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#openedAt !== undefined
  }

  /** In whole seconds, when open. */
  get triesAgainIn(): number {
    const at = (this.#openedAt ?? 0) + triesAgainAfterMs
    return Math.max(1, Math.ceil((at - this.#options.now().getTime()) / 1000))
  }

  /**
   * Whether a request may go out now. One may once the clock was set back: a clock that was ahead may be why the codes were
   * refused, and the hour would only begin when it is as late again.
   */
  get mayTry(): boolean {
    if (this.#openedAt === undefined) return true
    const since = this.#options.now().getTime() - this.#openedAt
    return since < 0 || since >= triesAgainAfterMs
  }

  /** Returns whether a request may go out; and then its pass, for what the agent answers. */
  admit(): BreakerPass | undefined {
    if (!this.mayTry) return undefined
    const isTrial = this.isOpen
    // Only this one request; the next may go in another hour.
    if (isTrial) this.#openedAt = this.#options.now().getTime()
    const epoch = this.#epoch
    return {
      isTrial,
      refused: (code) => epoch === this.#epoch && this.#refuse(code),
      spent: (code) => epoch === this.#epoch && !this.#acceptedLately && this.#refuse(code),
      accepted: () => epoch === this.#epoch && this.#accept(),
    }
  }

  /** The credentials have changed, or somebody asks for another try. What is still to be answered counts no more. */
  reset(): void {
    this.#epoch++
    this.#acceptedAt = -Infinity
    this.#close()
  }

  get #acceptedLately(): boolean {
    return Math.abs(this.#options.now().getTime() - this.#acceptedAt) <= triesAgainAfterMs
  }

  #refuse(code: string): void {
    const at = this.#options.now().getTime()
    for (const [old, since] of this.#refused) {
      if (Math.abs(at - since) > triesAgainAfterMs) this.#refused.delete(old)
    }
    this.#refused.set(code, at)
    if (this.#refused.size < mostRefusedCodes || this.#openedAt !== undefined) return
    this.#openedAt = at
    this.#options.onOpen()
  }

  #accept(): void {
    this.#acceptedAt = this.#options.now().getTime()
    this.#close()
  }

  #close(): void {
    this.#refused.clear()
    if (this.#openedAt === undefined) return
    this.#openedAt = undefined
    this.#options.onClose()
  }
}

/** How the breaker learns what became of a request. */
export interface BreakerPass {
  /** It goes out although the breaker is open, to see whether the credentials are accepted again. */
  readonly isTrial: boolean
  /** The agent refused it with 401. */
  refused(code: string): void
  /**
   * The agent refused it with 401 and said that the code was used before, which is believed of an agent that accepted these
   * credentials within the hour. Another may say so of any code.
   */
  spent(code: string): void
  /** The agent accepted the credentials: it answered anything that it tells nobody without them. */
  accepted(): void
}
