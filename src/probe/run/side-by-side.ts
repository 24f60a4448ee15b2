/** The most requests of one cell that are under way at a time, beside those on the connection of its valid calls. */
const sideBySide = 8

/** Does a few things at a time, in the order in which they were asked for. */
export class SideBySide {
  #open = 0
  readonly #waiting: (() => void)[] = []

  async do<T>(act: () => Promise<T>): Promise<T> {
    if (this.#open >= sideBySide) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#open += 1
    try {
      return await act()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#open -= 1
    }
  }
}
