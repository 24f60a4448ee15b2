import { isLive, type Credential, type Roster } from './roster.js'

/** A seed or a token of a peer, or a seed that all share, by its id. */
export interface NamedCredential {
  /** Absent for a shared seed. */
  readonly peer?: string
  readonly kind: 'seed' | 'token'
  readonly id: string
}

/** How a change affects which credentials an agent accepts. Canaries are never accepted, so they are in neither list. */
export interface ValidityChange {
  /** Not valid before, or about to end before without a newer one in its place, and valid for longer after. */
  readonly again: readonly NamedCredential[]
  /** Valid before and not after. */
  readonly ended: readonly NamedCredential[]
}

/** Returns what a change makes valid again, and what it ends. */
export function validityChange(before: Roster, after: Roster, at: Date): ValidityChange {
  const [old, now] = [liveIn(before, at), liveIn(after, at)]
  const again = [...now].filter(([key, { expiresAt }]) => {
    const earlier = old.get(key)
    if (!earlier) return true
    return !earlier.superseded && endOf(earlier.expiresAt) < endOf(expiresAt)
  })
  const ended = [...old].filter(([key]) => !now.has(key))
  return { again: again.map(named), ended: ended.map(named) }
}

interface Live extends NamedCredential {
  readonly expiresAt: Date | undefined
  /** Whether a newer one of the peer is live. */
  readonly superseded: boolean
}

/** By kind and value: a rename keeps them, and ids of two stores may be the same by accident. */
function liveIn({ peers, sharedSeeds = [] }: Roster, at: Date): Map<string, Live> {
  const found = new Map<string, Live>()
  function add<C extends Credential>(
    kind: 'seed' | 'token',
    credentials: readonly C[],
    valueOf: (one: C) => string,
    peer?: string,
  ): void {
    const live = credentials.filter((one) => isLive(one, at))
    for (const [index, one] of live.entries()) {
      const { id, expiresAt } = one
      const superseded = index < live.length - 1
      found.set(`${kind} ${valueOf(one)}`, {
        ...(peer !== undefined && { peer }),
        kind,
        id,
        expiresAt,
        superseded,
      })
    }
  }
  add('seed', sharedSeeds, ({ seed }) => seed.base32)
  for (const { name, seeds, tokens } of peers.values()) {
    add('seed', seeds, ({ seed }) => seed.base32, name)
    add('token', tokens, ({ token }) => token.hash, name)
  }
  return found
}

const endOf = (expiresAt: Date | undefined): number => expiresAt?.getTime() ?? Infinity

const named = ([, { peer, kind, id }]: readonly [string, Live]): NamedCredential => ({
  ...(peer !== undefined && { peer }),
  kind,
  id,
})
