import type { BigIntStats } from 'node:fs'

/** Looks at something again and again, one look at a time, until it is stopped. Keeps no process alive. */
export class Looks {
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  hasStopped(): boolean {
    return this.#timer === undefined
  }

  /** @param look never rejects */
  start(look: () => Promise<void>): void {
    this.#timer = setTimeout(() => {
      void look().then(() => {
        if (!this.hasStopped()) this.start(look)
      })
    }, this.#everyMs).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/** Stands for the signature of a missing file. */
export const gone = 'gone'

/** Differs whenever the file or its content does. */
export function signatureOf({ dev, ino, size, mode, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mode, mtimeNs, ctimeNs].join(' ')
}
