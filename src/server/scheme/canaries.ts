import { TOTPError } from '../../core/errors.js'
import { quoteName } from '../../core/name.js'
import { tokenHashOf } from './delegates.js'
import type { AuthEvent, EventBase } from './events.js'
import type { TokenOwner } from './first-factor.js'
import type { CanaryToken } from './options.js'

/** A canary whose token was sent. */
export type Canary = Pick<CanaryToken, 'name' | 'id'>

/** The tokens that belong to nobody, by their hashes. */
export class Canaries {
  readonly #byHash = new Map<string, Canary>()

  /**
   * @param isPeers whether the token with this hash is a peer's
   * @throws {TOTPError} `ERR_TOKEN_INVALID` for a token that a request cannot carry, `ERR_CONFIG_INVALID` for one that is
   *   listed twice or is a peer's.
   */
  constructor(given: readonly CanaryToken[] = [], isPeers: (tokenHash: string) => boolean) {
    for (const { name, id, token, hash } of given) {
      const tokenHash = tokenHashOf(token ?? hash)
      if (isPeers(tokenHash)) {
        throw new TOTPError(
          'ERR_CONFIG_INVALID',
          `the token of canary ${quoteName(name)} is also a peer's; a canary needs a token that nobody uses`,
        )
      }
      if (this.#byHash.has(tokenHash)) {
        throw new TOTPError(
          'ERR_CONFIG_INVALID',
          `a token of canary ${quoteName(name)} is listed twice; list each token once`,
        )
      }
      this.#byHash.set(tokenHash, { name, id })
    }
  }

  get size(): number {
    return this.#byHash.size
  }

  find(tokenHash: string): Canary | undefined {
    return this.#byHash.get(tokenHash)
  }
}

/**
 * The owner of a canary's token: nobody, whatever a delegate says about it. Where an unknown token would be refused for
 * another reason, for example because the delegate fails, so is this one.
 */
export function ownerOfCanary(owner: TokenOwner): TokenOwner {
  const known =
    owner.peer !== undefined || owner.reason === 'peer-unknown' || owner.reason === 'peer-conflict'
  return known ? { reason: 'token-refused' } : owner
}

const quietMs = 60_000

/** How many sources of one canary are remembered, and so the most events of one canary in a minute. */
const mostSources = 100

/** An address fits. Anything longer comes from a header field that nobody checked. */
const longestSource = 64

/**
 * Reports uses of canaries: at most once a minute for each canary and source, and at most 100 times a minute for each
 * canary. Each canary has its own limit, so that a flood with one of them hides no other.
 */
export class CanaryAlarm {
  /** When a use was last reported, by canary and source; oldest first. */
  readonly #reported = new Map<string, { readonly canary: string; readonly at: number }>()
  /** How many of them belong to each canary. */
  readonly #counts = new Map<string, number>()

  /** Returns the event to emit for this use of a canary, if any. */
  raise({ name, id }: Canary, base: EventBase): AuthEvent | undefined {
    const now = base.at.getTime()
    this.#forget(now)
    // With the name's length, the key is different for each pair.
    const key = `${name.length}:${name}${(base.source ?? '').slice(0, longestSource)}`
    const count = this.#counts.get(name) ?? 0
    if (this.#reported.has(key) || count >= mostSources) return undefined
    this.#reported.set(key, { canary: name, at: now })
    this.#counts.set(name, count + 1)
    return { type: 'canary_used', ...base, canary: name, ...(id !== undefined && { id }) }
  }

  #forget(now: number): void {
    for (const [key, { canary, at }] of this.#reported) {
      // The distance, because a clock can be set back.
      if (Math.abs(now - at) < quietMs) return
      this.#reported.delete(key)
      const rest = (this.#counts.get(canary) ?? 1) - 1
      if (rest > 0) this.#counts.set(canary, rest)
      else this.#counts.delete(canary)
    }
  }
}
