/** Each sealed message: its bytes, and how to read them. */
const sealedMessages = new WeakMap<object, { readonly bytes: Uint8Array; readonly read: () => unknown }>()

/**
 * Stands for a message until it is unsealed. Any other use of it throws.
 *
 * @param bytes the message as it was sent, uncompressed
 * @param read returns the message itself
 * @param forbidden creates the error for any other use
 */
export function sealMessage(bytes: Uint8Array, read: () => unknown, forbidden: () => Error): object {
  const refuse = (): never => {
    throw forbidden()
  }
  // A proxy as the handler of a proxy: whichever trap is looked up, it throws.
  const sealed = new Proxy({}, new Proxy({}, { get: () => refuse }))
  sealedMessages.set(sealed, { bytes, read })
  return sealed
}

/** Returns the message behind a seal, and anything else as it is. */
export function unsealMessage(message: unknown): unknown {
  const sealed = find(message)
  return sealed ? sealed.read() : message
}

/** Returns the bytes of a sealed message, and undefined for anything else. */
export function bytesOf(message: unknown): Uint8Array | undefined {
  return find(message)?.bytes
}

function find(message: unknown): ReturnType<(typeof sealedMessages)['get']> {
  return typeof message === 'object' && message !== null ? sealedMessages.get(message) : undefined
}

/** An answer that a guard has released. */
export class ReleasedAnswer {
  private constructor(readonly message: unknown) {}

  static of(message: unknown): ReleasedAnswer {
    return message instanceof ReleasedAnswer ? message : new ReleasedAnswer(message)
  }
}
