import { ProofKey } from '../../core/proof/key.js'
import type { SchemeSeed } from './peers.js'

/** So many are made at once, which takes some milliseconds; the others while requests are served. */
const madeAtOnce = 250
/** In one turn of the event loop, beside requests. */
const madeInATurn = 4

/**
 * The proof keys of an agent's seeds. Deriving one takes longer than all else of a decision, so they are made before they are
 * needed: otherwise the first proof beside a token, which may be an invalid one, would tell by its time that the token is
 * live. With thousands of new seeds that is so for the first seconds.
 */
export class ProofKeys {
  readonly #agent: string
  /** Those that are not made yet, the first one last. */
  #waiting: SchemeSeed[]
  readonly #seeds: readonly SchemeSeed[]

  /** @param previous keys of a config that this one replaces: those of the same seeds are kept. */
  constructor(agent: string, seeds: readonly SchemeSeed[], previous?: ProofKeys) {
    this.#agent = agent
    this.#seeds = seeds
    const known = previous && previous.#agent === agent ? previous.#made() : undefined
    for (const seed of seeds) seed.proofKey ??= known?.get(seed.seed.base32)
    if (previous) previous.#waiting = []
    this.#waiting = seeds.filter(({ proofKey }) => !proofKey).reverse()
    this.#make(madeAtOnce)
    this.#makeRest()
  }

  /** The key of a seed; made now if it is not known yet. */
  of(seed: SchemeSeed): ProofKey {
    return (seed.proofKey ??= new ProofKey(seed.seed, this.#agent))
  }

  #made(): ReadonlyMap<string, ProofKey> {
    return new Map(
      this.#seeds.flatMap(({ seed, proofKey }) => (proofKey ? [[seed.base32, proofKey] as const] : [])),
    )
  }

  #make(most: number): void {
    for (const seed of this.#waiting.splice(-most).reverse()) this.of(seed)
  }

  /** Keeps no process alive. */
  #makeRest(): void {
    if (this.#waiting.length === 0) return
    setImmediate(() => {
      this.#make(madeInATurn)
      this.#makeRest()
    }).unref()
  }
}
