export interface SeenTokensLimits {
  /** How many tokens are remembered in total. */
  readonly most: number
  /** How many of one peer. Whoever has many tokens of a peer makes only that peer's older ones forgotten. */
  readonly mostPerPeer: number
}

/**
 * The tokens with which peers were let in of late, by their hashes. Of each peer the newest are kept, and in total the
 * newest. A token that is used again is new again.
 */
export class SeenTokens {
  readonly #limits: SeenTokensLimits
  /** Hash to peer, oldest first. */
  readonly #peers = new Map<string, string>()
  /** Peer to hashes, oldest first. */
  readonly #hashes = new Map<string, Set<string>>()

  constructor(limits: SeenTokensLimits = { most: 10_000, mostPerPeer: 16 }) {
    this.#limits = limits
  }

  has(tokenHash: string): boolean {
    return this.#peers.has(tokenHash)
  }

  remember(tokenHash: string, peer: string): void {
    // Deleting and setting moves an entry to the end.
    this.forget(tokenHash)
    const hashes = this.#hashes.get(peer) ?? new Set()
    this.#hashes.set(peer, hashes.add(tokenHash))
    this.#peers.set(tokenHash, peer)
    if (hashes.size > this.#limits.mostPerPeer) this.#forgetOldest(hashes)
    if (this.#peers.size > this.#limits.most) this.#forgetOldest(this.#peers)
  }

  forget(tokenHash: string): void {
    const peer = this.#peers.get(tokenHash)
    if (peer === undefined) return
    this.#peers.delete(tokenHash)
    const hashes = this.#hashes.get(peer)
    hashes?.delete(tokenHash)
    if (hashes?.size === 0) this.#hashes.delete(peer)
  }

  #forgetOldest(entries: { keys(): Iterable<string> }): void {
    for (const tokenHash of entries.keys()) {
      this.forget(tokenHash)
      return
    }
  }
}
