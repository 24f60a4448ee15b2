import { TOTPError } from '../core/errors.js'
import { longestLife } from '../core/proof/profile.js'
import { claimKeptMs, type Attempt, type SpentProof } from './state.js'

/** How many nonces of a seed are remembered at most by default, in one process. */
export const defaultMostNonces = 120_000

/** How many nonces of all seeds are remembered at most by default, in one process. */
export const defaultMostNoncesInAll = 480_000

export interface NonceBounds {
  readonly perSeed: number
  readonly inAll: number
}

/** What spending a nonce showed. Instants are unix seconds by the scheme's clock. */
export type Spending =
  | { readonly kind: 'spent' }
  | { readonly kind: 'replayed' }
  /** It may have been spent and forgotten; a proof created at `knownFrom` or later is known. */
  | { readonly kind: 'unknown'; readonly knownFrom: number }
  /** There is no room; some is free from `roomFrom` on. */
  | { readonly kind: 'full'; readonly roomFrom: number }

/** Nonces that expire at about the same time, and are forgotten together. */
interface Bucket {
  readonly nonces: Set<string>
  /** The uptime of this process in milliseconds after which they are over in real time too. */
  untilUptime: number
}

interface SeedNonces {
  /** By the unix second in which the last of them may expire. */
  readonly buckets: Map<number, Bucket>
  /** How many nonces the buckets hold. */
  count: number
  /** Nonces that expire in this second or before may have been forgotten. */
  forgottenUntil: number
  /** After both nothing of this seed matters: milliseconds of the scheme's clock, and of the uptime. */
  until: number
  untilUptime: number
}

const sweepEveryMs = 1000

/**
 * The nonces that were spent, by seed, in one process.
 *
 * A nonce is forgotten when it has expired by the scheme's clock and in real time, which the uptime measures. A clock that
 * was ahead for long enough and is set back would make forgotten nonces valid again. So each seed remembers up to when
 * nonces were forgotten, and what expires before that is `unknown`: nothing is accepted twice, whatever clocks do.
 */
export class SpentNonces {
  readonly #bounds: NonceBounds
  readonly #seeds = new Map<string, SeedNonces>()
  #count = 0
  #nextSweep = -Infinity

  /** @throws {TOTPError} `ERR_CONFIG_INVALID` unless both bounds are whole numbers above 0. */
  constructor(bounds: NonceBounds) {
    this.#bounds = {
      perSeed: parseBound('mostNonces', bounds.perSeed),
      inAll: parseBound('mostNoncesInAll', bounds.inAll),
    }
  }

  /** Spends the nonce, or returns why not; then nothing is written. */
  spend(attempt: Attempt, seed: string, proof: SpentProof, knownSince: number): Spending {
    const at = attempt.at.getTime()
    const uptime = performance.now()
    const own = this.#seeds.get(seed)
    if (own && has(own, proof.nonce)) return { kind: 'replayed' }
    if (proof.created < knownSince) return { kind: 'unknown', knownFrom: knownSince }
    if (own) this.#forget(own, at, uptime)
    if (own && proof.expires <= own.forgottenUntil) {
      return { kind: 'unknown', knownFrom: own.forgottenUntil + 1 - (proof.expires - proof.created) }
    }
    if (own && own.count >= this.#bounds.perSeed) return fullUntil(attempt, own)
    if (this.#count >= this.#bounds.inAll) {
      this.sweep(at)
      if (this.#count >= this.#bounds.inAll) return fullUntil(attempt, own)
    }
    this.#add(attempt, this.#entryOf(seed), proof)
    return { kind: 'spent' }
  }

  /** Forgets what is over, of all seeds; at most once a second. */
  sweep(at: number): void {
    const uptime = performance.now()
    if (uptime < this.#nextSweep) return
    this.#nextSweep = uptime + sweepEveryMs
    for (const [seed, own] of this.#seeds) {
      this.#forget(own, at, uptime)
      if (own.count === 0 && own.until <= at && own.untilUptime <= uptime) this.#seeds.delete(seed)
    }
  }

  #forget(own: SeedNonces, at: number, uptime: number): void {
    for (const [end, { nonces, untilUptime }] of own.buckets) {
      if (at < (end + 1) * 1000 || uptime < untilUptime) continue
      own.buckets.delete(end)
      own.count -= nonces.size
      this.#count -= nonces.size
      own.forgottenUntil = Math.max(own.forgottenUntil, end)
    }
  }

  #entryOf(seed: string): SeedNonces {
    const known = this.#seeds.get(seed)
    if (known) return known
    const none = { buckets: new Map<number, Bucket>(), count: 0, forgottenUntil: -Infinity }
    const entry = { ...none, until: -Infinity, untilUptime: -Infinity }
    this.#seeds.set(seed, entry)
    return entry
  }

  #add(attempt: Attempt, own: SeedNonces, { nonce, expires }: SpentProof): void {
    const end = bucketEnd(attempt, expires)
    const at = attempt.at.getTime()
    const leftMs = (end + 1) * 1000 - at
    const bucket = own.buckets.get(end) ?? { nonces: new Set<string>(), untilUptime: -Infinity }
    own.buckets.set(end, bucket)
    bucket.nonces.add(copyOf(nonce))
    bucket.untilUptime = Math.max(bucket.untilUptime, performance.now() + leftMs)
    own.count++
    this.#count++
    own.until = Math.max(own.until, at + claimKeptMs)
    own.untilUptime = Math.max(own.untilUptime, performance.now() + claimKeptMs)
  }
}

/** The unix second in which the last nonce of the bucket may expire: a look-up asks few buckets. */
export function bucketEnd(attempt: Attempt, expires: number): number {
  const seconds = Math.max(30, Math.ceil(longestLife(attempt) / 2))
  return Math.ceil(expires / seconds) * seconds
}

/** @throws {TOTPError} `ERR_CONFIG_INVALID` unless the bound is a whole number above 0. */
export function parseBound(option: string, bound: number): number {
  if (Number.isSafeInteger(bound) && bound > 0) return bound
  throw new TOTPError('ERR_CONFIG_INVALID', `${option} must be a whole number above 0`)
}

function has({ buckets }: SeedNonces, nonce: string): boolean {
  for (const { nonces } of buckets.values()) if (nonces.has(nonce)) return true
  return false
}

function fullUntil(attempt: Attempt, own: SeedNonces | undefined): Spending {
  const ends = [...(own?.buckets.keys() ?? [])]
  const roomFrom =
    ends.length > 0 ? Math.min(...ends) + 1 : Math.ceil(attempt.at.getTime() / 1000) + longestLife(attempt)
  return { kind: 'full', roomFrom }
}

/** The text alone: a part of a header's text would keep the whole header in memory. */
function copyOf(nonce: string): string {
  return Buffer.from(nonce, 'latin1').toString('latin1')
}
