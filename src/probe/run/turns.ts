/** How many requests are under way: any number, or one at a time. */
export class Turns {
  #open = 0
  #isSingle = false
  readonly #waiting: (() => void)[] = []

  get isSingle(): boolean {
    return this.#isSingle
  }

  /** Waits for a turn. */
  async take(): Promise<void> {
    if (this.#isSingle && this.#open > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#open += 1
  }

  giveBack(): void {
    this.#open -= 1
    if (this.#isSingle && this.#open > 0) return
    const next = this.#waiting.shift()
    if (!next) return
    // Taken for the next one here, so that nobody comes in between.
    this.#open += 1
    next()
  }

  /** From now on there is one turn at a time; those that were taken end on their own. */
  oneAtATime(): void {
    this.#isSingle = true
  }

  /** Goes to the end of the line, if others are under way. */
  async takeAgain(): Promise<void> {
    if (this.#open <= 1) return
    this.giveBack()
    await this.take()
  }
}
