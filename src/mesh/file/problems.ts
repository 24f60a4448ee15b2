import { formatPath, type Path } from '../../core/document.js'
import { TOTPError } from '../../core/errors.js'

/** As many as a person puts right before the next try. */
const mostShown = 20

interface Problem {
  readonly line: number
  readonly words: string
}

/** What is wrong with a mesh file: all of it is told at once. No problem has a value of the file in it. */
export class Problems {
  readonly #all: Problem[] = []

  /** @param line from 1 */
  add(line: number, words: string): void {
    this.#all.push({ line, words })
  }

  /** The same for a field. */
  addAt(line: number, path: Path, words: string): void {
    this.add(line, `${formatPath(path)} ${words}`)
  }

  /**
   * @param path of the file
   * @throws {TOTPError} `ERR_CONFIG_INVALID` where there is any
   */
  throwIfAny(path: string): void {
    if (this.#all.length === 0) return
    const sorted = [...this.#all].sort((one, other) => one.line - other.line)
    const shown = sorted.slice(0, mostShown).map(({ line, words }) => `line ${line}: ${words}`)
    const more = sorted.length - shown.length
    const rest = more > 0 ? [`and ${more} more`] : []
    throw new TOTPError('ERR_CONFIG_INVALID', `${path}: ${[...shown, ...rest].join('; ')}`)
  }
}
