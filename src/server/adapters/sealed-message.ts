/** How to read each sealed message. */
const readers = new WeakMap<object, () => unknown>()

/**
 * Stands for a message until it is unsealed. Any other use of it throws.
 *
 * @param read returns the message itself
 * @param forbidden creates the error for any other use
 */
export function sealMessage(read: () => unknown, forbidden: () => Error): object {
  const refuse = (): never => {
    throw forbidden()
  }
  // A proxy as the handler of a proxy: whichever trap is looked up, it throws.
  const sealed = new Proxy({}, new Proxy({}, { get: () => refuse }))
  readers.set(sealed, read)
  return sealed
}

/** Returns the message behind a seal, and anything else as it is. */
export function unsealMessage(message: unknown): unknown {
  const read = typeof message === 'object' && message !== null ? readers.get(message) : undefined
  return read ? read() : message
}

/** An answer that a guard has released. */
export class ReleasedAnswer {
  private constructor(readonly message: unknown) {}

  static of(message: unknown): ReleasedAnswer {
    return message instanceof ReleasedAnswer ? message : new ReleasedAnswer(message)
  }
}
