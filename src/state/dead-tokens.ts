import { createHash } from 'node:crypto'
import type { Attempt } from './state.js'

const mostSeeds = 1000
const mostTags = 100_000

/**
 * Remembers tokens that guesses were made with and that are no longer live, so that Redis is told at once and need not be
 * asked twice. Forgetting costs a round trip, and nothing else.
 */
export class DeadTokens {
  /** Tags of tokens by seed. */
  readonly #bySeed = new Map<string, readonly string[]>()

  /** The tags that are known to be dead. One that is live again is not among them. */
  known({ seeds, liveTokens }: Attempt): readonly string[] {
    if (!liveTokens || this.#bySeed.size === 0) return []
    const tags = seeds.flatMap((seed) => this.#bySeed.get(seed) ?? [])
    return tags.length === 0 ? tags : deadAmong(tags, liveTokens())
  }

  /**
   * Notes the tags of tokens that guesses were made with.
   *
   * @returns the dead ones among them
   */
  learn({ seeds: [seed = ''], liveTokens }: Attempt, tags: readonly string[]): readonly string[] {
    if (!liveTokens || tags.length === 0) return []
    const dead = deadAmong(tags, liveTokens())
    this.#bySeed.delete(seed)
    if (dead.length > 0) this.#bySeed.set(seed, dead)
    const [oldest] = this.#bySeed.keys()
    if (this.#bySeed.size > mostSeeds && oldest !== undefined) this.#bySeed.delete(oldest)
    return dead
  }
}

function deadAmong(tags: readonly string[], live: readonly string[] | undefined): string[] {
  if (!live) return []
  const alive = new Set(live.map(tokenTag))
  return [...new Set(tags)].filter((tag) => !alive.has(tag))
}

const tagsByToken = new Map<string, string>()

/** How Redis knows a token: 42 bits of a hash of its hash. With a letter, since ioredis reads digits as a number. */
export function tokenTag(token: string): string {
  let tag = tagsByToken.get(token)
  if (tag === undefined) {
    if (tagsByToken.size >= mostTags) tagsByToken.clear()
    tag = `t${createHash('sha256').update(token).digest('base64url').slice(0, 7)}`
    tagsByToken.set(token, tag)
  }
  return tag
}
