/** How to read each sealed message. */
const readers = new WeakMap<object, () => unknown>()

/**
 * Stands for a message until whoever may read it unseals it. Anything else that is done with it throws.
 *
 * @param read gives the message itself
 * @param forbidden the error for who touches it
 */
export function sealMessage(read: () => unknown, forbidden: () => Error): object {
  const refuse = (): never => {
    throw forbidden()
  }
  // A proxy as the handler of a proxy: every trap that is looked up is one that throws.
  const sealed = new Proxy({}, new Proxy({}, { get: () => refuse }))
  readers.set(sealed, read)
  return sealed
}

/** The message behind a seal; what is not sealed is itself. */
export function unsealMessage(message: unknown): unknown {
  const read = typeof message === 'object' && message !== null ? readers.get(message) : undefined
  return read ? read() : message
}

/** An answer that a guard has let out. */
export class ReleasedAnswer {
  private constructor(readonly message: unknown) {}

  static of(message: unknown): ReleasedAnswer {
    return message instanceof ReleasedAnswer ? message : new ReleasedAnswer(message)
  }
}
