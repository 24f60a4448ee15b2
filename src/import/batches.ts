import type { Entry } from './entry.js'

/** Which part of a longer export one QR code is. `index` begins with 0. */
export interface Part {
  readonly id: number
  readonly size: number
  readonly index: number
}

const mostListed = 10

/** Remembers which parts of an export were read, because an app spreads many accounts over several QR codes. */
export class Batches {
  readonly #parts = new Map<string, { where: string; size: number; seen: Set<number> }>()

  readonly #read = new Set<string>()
  #file = ''

  /** Begins a file: what is added from now on is said to be there. */
  begin(file: string): void {
    this.#file = file
  }

  /**
   * Adds a part with its data.
   *
   * @returns whether it is new: one that was photographed twice counts once
   */
  add(where: string, { id, size, index }: Part, data: string): boolean {
    if (this.#read.has(data)) return false
    this.#read.add(data)
    if (size <= 1) return true
    const key = `${id}/${size}`
    const batch = this.#parts.get(key) ?? { where: `${this.#file}${where}`, size, seen: new Set() }
    this.#parts.set(key, batch)
    batch.seen.add(index)
    return true
  }

  /** One problem for each export that is incomplete, with the parts that are missing. */
  problems(): Entry[] {
    return [...this.#parts.values()]
      .filter(({ size, seen }) => seen.size < size)
      .map(({ where, size, seen }) => {
        const which = seen.size === 1 ? `part ${first(seen)} of ${size}` : `${seen.size} of ${size} parts`
        return {
          where,
          problem: `this is ${which} of an export; ${missing(size, seen)}; pass all parts together, one URI per line or a file for each`,
        }
      })
  }
}

const first = (seen: ReadonlySet<number>): number => Math.min(...seen) + 1

function missing(size: number, seen: ReadonlySet<number>): string {
  const numbers: number[] = []
  // The size comes from the file, and may be any number.
  for (let index = 0; index < size && numbers.length < mostListed; index += 1)
    if (!seen.has(index)) numbers.push(index + 1)
  const more = size - seen.size - numbers.length
  const last = more > 0 ? `${more} more` : numbers.pop()
  if (numbers.length === 0) return `part ${last} is missing`
  return `parts ${numbers.join(', ')} and ${last} are missing`
}
