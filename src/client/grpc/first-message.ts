/** The message of a call, in bytes. Credentials are asked for on the way to the connection, perhaps before it is known. */
export class FirstMessage {
  readonly bytes: Promise<Uint8Array>
  #resolve: (bytes: Uint8Array) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  /** @param ended aborted when the call ends, perhaps without a message */
  constructor(ended: AbortSignal) {
    this.bytes = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Without credentials nobody waits for it.
    this.bytes.catch(() => undefined)
    ended.addEventListener('abort', () => this.#reject(ended.reason), { once: true })
  }

  /** Takes the first message; later ones change nothing. */
  settle(serialize: () => Uint8Array): void {
    try {
      this.#resolve(serialize())
    } catch (error) {
      this.#reject(error)
    }
  }
}
