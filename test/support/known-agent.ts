import { defaultProfile } from '../../src/core/profile.js'
import type { KnownAgent, KnownPeer } from '../../src/core/rebuild.js'
import type { Canary, Peer, TokenCredential } from '../../src/core/roster.js'
import { TokenHash } from '../../src/core/token.js'
import { lookAt, tokenCredential } from './roster.js'

/** Tokens as a server file has them: known by their hashes. */
export function hashesOf(tokens: readonly TokenCredential[]): TokenCredential[] {
  return tokens.map((one) => ({ ...one, token: TokenHash.parse(one.token.hash) }))
}

/** A peer as a server file has it: without a note. */
export function knownPeer(
  peer: Peer,
  policies: Partial<Pick<KnownPeer, 'replay' | 'signed'>> = {},
): KnownPeer {
  const { name, algorithm, digits, period, createdAt, seeds, tokens } = peer
  const own = { name, algorithm, digits, period, createdAt, seeds, tokens: hashesOf(tokens) }
  return { ...own, replay: 'reuse', signed: 'off', ...policies }
}

/** What a server file says of an agent of the default profile, unless told otherwise. */
export function knownAgent(peers: readonly KnownPeer[], overrides: Partial<KnownAgent> = {}): KnownAgent {
  const agent = {
    agent: 'agent',
    profile: defaultProfile,
    serial: 0,
    signed: 'off',
    requiresOnce: false,
  } as const
  return { ...agent, peers, canaries: [], ...overrides }
}

/** A canary with tokens of these values, made at {@link lookAt}. */
export function canaryOf(name: string, ...values: string[]): Canary {
  const tokens = values.map((value, index) => tokenCredential(`${name}-c${index}`, value))
  return { name, createdAt: lookAt, tokens }
}

export const canariesNamed = (...all: Canary[]): Map<string, Canary> =>
  new Map(all.map((one) => [one.name, one]))
