/** So many accepted nonces are remembered, of all peers together; beyond that the oldest is forgotten. */
const mostNonces = 5000
/** An address fits. Anything longer comes from a header field that nobody checked. */
const longestSource = 64

/**
 * Where the accepted proofs of the last moments came from. Only callers with the seed can add to it, and each entry is
 * short, so it stays small.
 */
export class NonceSources {
  /** By seed and nonce, oldest first. */
  readonly #sources = new Map<string, string>()

  remember(nonce: string | undefined, source: string | undefined): void {
    if (nonce === undefined || source === undefined || source.length > longestSource) return
    if (this.#sources.size >= mostNonces) {
      const [oldest = ''] = this.#sources.keys()
      this.#sources.delete(oldest)
    }
    this.#sources.set(nonce, source)
  }

  /** The two sources of an accepted proof that arrives again from another one, once for each proof. */
  second(nonce: string | undefined, source: string | undefined): readonly [string, string] | undefined {
    if (nonce === undefined || source === undefined) return undefined
    const first = this.#sources.get(nonce)
    if (first === undefined || isSameSource(first, source)) return undefined
    this.#sources.delete(nonce)
    return [first, source]
  }
}

export function isSameSource(one: string, other: string): boolean {
  return plain(one) === plain(other)
}

/** An IPv4 address as an IPv6 socket reports it is the same address. */
const plain = (source: string): string => source.replace(/^::ffff:(?=\d+\.)/i, '')
