import type { AuthEvent } from './events.js'

/** The event of a request that was refused for the sake of its proof. */
export type RefusedProof = Extract<AuthEvent, { readonly reason: unknown }> & { readonly peer: string }

const quietMs = 1000
/** Of so many peers the events are held back; with more, those of the one that was reported longest ago are emitted. */
const mostPeers = 1000

/** Refusals of one peer. */
interface Held {
  /** When an event was emitted last, by the scheme's clock. */
  emittedAt: number
  /** The last refusal since then, and how many there were. */
  last: RefusedProof | undefined
  count: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Emits the events of refused proofs, at most one a second and peer: a bad proof is no guess, so nothing else bounds how
 * many a thief of the token can cause. The first is emitted at once, those of the second after it as one. The counts of the
 * events add up to the number of refusals.
 */
export class RefusedProofs {
  readonly #emit: (event: RefusedProof) => void
  readonly #now: () => Date
  /** By peer, the one that was reported longest ago first. */
  readonly #held = new Map<string, Held>()

  constructor(emit: (event: RefusedProof) => void, now: () => Date) {
    this.#emit = emit
    this.#now = now
  }

  add(event: RefusedProof): void {
    const { peer } = event
    const held = this.#held.get(peer) ?? this.#makeRoomFor(peer)
    held.last = event
    held.count++
    // By the distance, because a clock can be set back.
    if (Math.abs(event.at.getTime() - held.emittedAt) >= quietMs) this.#flush(peer, held, event.at)
    // So that the count is also reported where the refusals end. It keeps no process alive.
    else held.timer ??= setTimeout(() => this.#flush(peer, held, this.#now()), quietMs).unref()
  }

  /** Emits what is held back. */
  close(): void {
    for (const [peer, held] of [...this.#held]) this.#flush(peer, held, this.#now())
  }

  #makeRoomFor(peer: string): Held {
    const [first] = this.#held
    if (first && this.#held.size >= mostPeers) {
      const [oldest, held] = first
      this.#flush(oldest, held, this.#now())
      this.#held.delete(oldest)
    }
    const held: Held = { emittedAt: -Infinity, last: undefined, count: 0, timer: undefined }
    this.#held.set(peer, held)
    return held
  }

  /** Emits what is held back of a peer, if anything is. */
  #flush(peer: string, held: Held, at: Date): void {
    const { last, count } = held
    if (!last) return
    clearTimeout(held.timer)
    Object.assign(held, { emittedAt: at.getTime(), last: undefined, count: 0, timer: undefined })
    this.#held.delete(peer)
    this.#held.set(peer, held)
    this.#emit({ ...last, count })
  }
}
