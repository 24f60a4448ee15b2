import type { Peer, Roster, SeedCredential, TokenCredential } from '../../src/core/roster.js'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'

/** The day on which everything in {@link rosterOf} and {@link peerOf} was made. */
export const madeAt = new Date('2026-01-01T00:00:00Z')

/** The instant that tests of fragments look from. */
export const lookAt = new Date('2026-06-01T00:00:00Z')

export const past = new Date('2026-05-31T23:59:59.999Z')
export const future = new Date('2026-06-01T00:00:00.001Z')

/** A seed credential whose bytes are all `byte`; 20 of them. */
export function seedCredential(id: string, byte: number, expiresAt?: Date): SeedCredential {
  const seed = Seed.fromBytes(new Uint8Array(20).fill(byte))
  return { id, createdAt: madeAt, seed, ...(expiresAt ? { expiresAt } : {}) }
}

export function tokenCredential(id: string, value: string, expiresAt?: Date): TokenCredential {
  return { id, createdAt: madeAt, token: Token.parse(value), ...(expiresAt ? { expiresAt } : {}) }
}

/** A peer of the default profile with one seed and one token, unless told otherwise. */
export function peerOf(name: string, overrides: Partial<Peer> = {}): Peer {
  const { algorithm, digits, period } = defaultProfile
  return {
    name,
    algorithm,
    digits,
    period,
    createdAt: madeAt,
    seeds: [seedCredential(`${name}-s1`, name.charCodeAt(0))],
    tokens: [tokenCredential(`${name}-t1`, `a2at_token-of-${name}`)],
    ...overrides,
  }
}

/** An agent of the default profile with these peers, unless told otherwise. */
export function rosterOf(peers: readonly Peer[], overrides: Partial<Roster> = {}): Roster {
  return {
    agent: 'agent',
    profile: defaultProfile,
    replay: 'reuse',
    peers: new Map(peers.map((peer) => [peer.name, peer])),
    ...overrides,
  }
}
