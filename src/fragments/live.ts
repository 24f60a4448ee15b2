import { liveSeedsOf, tokenToHandOut } from '../core/live-credentials.js'
import { canariesOf, isLive, newestLive, seedsOf, type Peer } from '../core/roster.js'
import type { ClientInput, ServerInput } from './fragment.js'

/**
 * Checks the peer of a fragment that contains no credentials but is useless without them.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed or no live token
 */
export function requireLive({ roster, peer, at }: ClientInput): void {
  liveSeedsOf(roster, peer, at)
  tokenToHandOut(peer, at)
}

/**
 * Returns the peers that the agent can let in: those with a live seed. A server refuses to start with a peer that has
 * none, so such a peer is left out, and {@link leftOut} warns about it.
 */
export function peersWithSeed({ roster, at }: ServerInput): Peer[] {
  return [...roster.peers.values()].filter((peer) => newestLive(seedsOf(roster, peer), at))
}

/** Returns a warning for each peer that a server fragment leaves out, or has without a token. */
export function leftOut(input: ServerInput): string[] {
  const kept = new Set(peersWithSeed(input))
  return [...input.roster.peers.values()].flatMap((peer) => {
    const { name, tokens } = peer
    if (!kept.has(peer))
      return `"${name}" is left out: its seeds have expired; run \`a2a-totp rotate ${name}\``
    if (tokens.some((one) => isLive(one, input.at))) return []
    return `"${name}" is without a token: its own have expired; run \`a2a-totp rotate ${name} --token\``
  })
}

/** Returns a warning, with this reason, if there are canaries. */
export function withoutCanaries({ roster }: ServerInput, reason: string): string[] {
  const names = canariesOf(roster).map(({ name }) => `"${name}"`)
  return names.length === 0 ? [] : [`canaries (${names.join(', ')}): ${reason}`]
}
