import { stat } from 'node:fs/promises'
import { gone, Looks, signatureOf } from './looks.js'

export interface FollowedSourceListener<T> {
  /** The file has changed. If this throws, the change counts as failed. */
  changed(value: T): void
  /** The file has changed, and cannot be used. */
  failed(error: unknown): void
}

/** A change is seen within a second, reading included, which takes a while where a file is encrypted. */
const lookEveryMs = 200

/** A file with a reader of its own, such as a store, which is read again whenever the file changes. */
export class FollowedSource<T> {
  readonly #path: string
  readonly #read: () => Promise<T>
  readonly #looks = new Looks(lookEveryMs)
  #seen: string | undefined

  constructor(path: string, read: () => Promise<T>) {
    this.#path = path
    this.#read = read
  }

  /** @throws what the reader throws */
  async read(): Promise<T> {
    // Looked at first: a change while it is read is another look.
    this.#seen = await signatureAt(this.#path)
    return this.#read()
  }

  /** Looks at the path until it is stopped. Keeps no process alive. */
  follow(listener: FollowedSourceListener<T>): void {
    this.#looks.start(async () => {
      if ((await signatureAt(this.#path)) === this.#seen || this.#looks.hasStopped()) return
      try {
        const value = await this.read()
        if (!this.#looks.hasStopped()) listener.changed(value)
      } catch (error) {
        if (!this.#looks.hasStopped()) listener.failed(error)
      }
    })
  }

  /** The next look reads the file, whether or not it looks changed. */
  readAgain(): void {
    this.#seen = undefined
  }

  stop(): void {
    this.#looks.stop()
  }
}

function signatureAt(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(signatureOf, () => gone)
}
