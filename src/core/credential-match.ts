import {
  canariesOf,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from './roster.js'

// How credentials of a store and of a file are compared and put together. The same seed or token may have another id in each.

/** What a client's own configuration says of a peer. */
export interface Completion {
  readonly seed: string | undefined
  readonly tokenHash: string
}

/**
 * Returns the name of the peer or canary that has a token, by its hash; else of the only peer that has the seed as its
 * own. Undefined when there is none.
 */
export function findHolder(roster: Roster, { seed, tokenHash }: Completion): string | undefined {
  const holders = [...roster.peers.values(), ...canariesOf(roster)]
  const byToken = holders.find(({ tokens }) => tokens.some(({ token }) => token.hash === tokenHash))
  if (byToken) return byToken.name
  const bySeed = [...roster.peers.values()].filter(({ seeds }) =>
    seeds.some((one) => one.seed.base32 === seed),
  )
  return bySeed.length === 1 ? bySeed[0]?.name : undefined
}

export const seedOf = ({ seed }: SeedCredential): string => seed.base32
export const hashOf = ({ token }: TokenCredential): string => token.hash

export function sharesSeed(one: readonly SeedCredential[], other: readonly SeedCredential[]): boolean {
  const seeds = new Set(one.map(seedOf))
  return other.some((credential) => seeds.has(seedOf(credential)))
}

export function sharesToken(one: Pick<Peer, 'tokens'>, other: Pick<Peer, 'tokens'>): boolean {
  const hashes = new Set(one.tokens.map(hashOf))
  return other.tokens.some((credential) => hashes.has(hashOf(credential)))
}

/**
 * The credentials of both: with the ids of the file, the values of the store, and the earlier end. In the order of the
 * one that has all of them.
 */
export function mergeCredentials<C extends Credential>(
  store: readonly C[],
  file: readonly C[],
  keyOf: (one: C) => string,
): readonly C[] {
  const known = new Map(file.map((one) => [keyOf(one), one]))
  const own = new Map(store.map((one) => [keyOf(one), one]))
  const both = (mine: C, theirs: C): C => {
    const ends = [mine.expiresAt, theirs.expiresAt].flatMap((end) => (end ? [end.getTime()] : []))
    return {
      ...mine,
      id: theirs.id,
      ...(ends.length > 0 && { expiresAt: new Date(Math.min(...ends)) }),
    }
  }
  const mergedOne = (one: C): C => {
    const [mine, theirs] = [own.get(keyOf(one)), known.get(keyOf(one))]
    return mine && theirs ? both(mine, theirs) : one
  }
  const isInStore = file.every((one) => own.has(keyOf(one)))
  if (isInStore) return store.map(mergedOne)
  return [...store.filter((one) => !known.has(keyOf(one))), ...file.map(mergedOne)]
}

/** Compares what a server file can say. */
export function isSame(one: Peer | Canary, other: Peer | Canary): boolean {
  return fingerprint(one) === fingerprint(other)
}

function fingerprint(holder: Peer | Canary): string {
  const life = ({ id, expiresAt }: Credential): string => `${id} ${expiresAt?.toISOString() ?? ''}`
  const tokens = holder.tokens.map((one) => [hashOf(one), one.token.value !== undefined, life(one)])
  if (!('seeds' in holder)) return JSON.stringify(tokens)
  const { algorithm, digits, period, replay, signed, seeds } = holder
  return JSON.stringify([
    [algorithm, digits, period, replay, signed],
    seeds.map((one) => [seedOf(one), life(one)]),
    tokens,
  ])
}
