import { TOTPError } from '../core/errors.js'
import {
  isLive,
  newestLive,
  seedsOf,
  type Credential,
  type Peer,
  type SeedCredential,
  type TokenCredential,
} from '../core/roster.js'
import type { ClientInput, ServerInput } from './fragment.js'

/** The credentials that may still be used at an instant, oldest first. */
export function liveOf<C extends Credential>(credentials: readonly C[], at: Date): C[] {
  return credentials.filter((credential) => isLive(credential, at))
}

/** @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed. */
export function seedToHandOut({ roster, peer, at }: ClientInput): SeedCredential {
  const found = newestLive(seedsOf(roster, peer), at)
  if (found) return found
  throw roster.sharedSeeds ? sharedSeedExpired() : expired('seed', peer.name)
}

/** @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live token. */
export function tokenToHandOut({ peer, at }: ClientInput): TokenCredential {
  const found = newestLive(peer.tokens, at)
  if (found) return found
  throw expired('token', peer.name)
}

/**
 * For a fragment without credentials in it, which would be of no use without any.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed or no live token.
 */
export function requireLive(input: ClientInput): void {
  seedToHandOut(input)
  tokenToHandOut(input)
}

/**
 * The shared seeds that a server still needs, or undefined where each peer has its own.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when there were some and none is live.
 */
export function liveSharedSeeds({ roster, at }: ServerInput): SeedCredential[] | undefined {
  if (!roster.sharedSeeds) return undefined
  const live = liveOf(roster.sharedSeeds, at)
  if (live.length === 0) throw sharedSeedExpired()
  return live
}

/**
 * The peers that the agent can let in: those with a live seed. A server refuses to start with a peer that has
 * none, so an expired one is left out, and {@link leftOut} says so.
 */
export function peersWithSeed({ roster, at }: ServerInput): Peer[] {
  return [...roster.peers.values()].filter((peer) => newestLive(seedsOf(roster, peer), at))
}

/** A remark for each peer that a server fragment leaves out. */
export function leftOut(input: ServerInput): string[] {
  const kept = new Set(peersWithSeed(input))
  return [...input.roster.peers.values()]
    .filter((peer) => !kept.has(peer))
    .map(({ name }) => `"${name}" is left out: its seeds have expired; run \`a2a-totp rotate ${name}\``)
}

function expired(what: 'seed' | 'token', name: string): TOTPError {
  return new TOTPError(
    'ERR_CREDENTIAL_EXPIRED',
    `every ${what} of "${name}" has expired; run \`a2a-totp rotate ${name}\` for a new one`,
  )
}

function sharedSeedExpired(): TOTPError {
  return new TOTPError(
    'ERR_CREDENTIAL_EXPIRED',
    'the shared seed has expired; run `a2a-totp rotate --all --seed` for a new one',
  )
}
