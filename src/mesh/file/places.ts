import type { Path } from '../../core/document.js'

/** Where the fields of a text are: the key of each, or the item of a list. */
export class Places {
  readonly #lines = new WeakMap<object, Map<string | number, number>>()
  #top: unknown

  /** @param line of the key or item in its map or list, from 1 */
  note(parent: object, key: string | number, line: number): void {
    const lines = this.#lines.get(parent) ?? new Map<string | number, number>()
    this.#lines.set(parent, lines.set(key, line))
  }

  /** Returns the line of a key of a map, or of an item of a list; undefined where it is not there. */
  ofKey(parent: object, key: string | number): number | undefined {
    return this.#lines.get(parent)?.get(key)
  }

  setTop(value: unknown): void {
    this.#top = value
  }

  /** Returns the line of a field, from 1; where it is not there, that of the nearest field around it. */
  lineOf(path: Path): number {
    let line = 1
    let value = this.#top
    for (const key of path) {
      if (typeof value !== 'object' || value === null) break
      const found = this.ofKey(value, key)
      if (found === undefined) break
      line = found
      value = (value as Record<string | number, unknown>)[key]
    }
    return line
  }
}
