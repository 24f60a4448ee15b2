import { TOTPError } from './errors.js'
import {
  isLive,
  newestLive,
  seedsOf,
  type Credential,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from './roster.js'
import type { Token, TokenHash } from './token.js'

/** The credentials that are live at an instant, oldest first. */
export function liveOf<C extends Credential>(credentials: readonly C[], at: Date): C[] {
  return credentials.filter((credential) => isLive(credential, at))
}

/**
 * The seeds that make and check a peer's codes at an instant, its own or the shared ones, oldest first.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when none is live
 */
export function liveSeedsOf(roster: Roster, peer: Peer, at: Date): [SeedCredential, ...SeedCredential[]] {
  const [oldest, ...newer] = liveOf(seedsOf(roster, peer), at)
  if (!oldest) throw roster.sharedSeeds ? sharedSeedExpired() : expired('seed', peer)
  return [oldest, ...newer]
}

/**
 * The shared seeds that are live at an instant, oldest first; undefined when each peer has its own.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when there are shared seeds and none is live
 */
export function liveSharedSeedsOf({ sharedSeeds }: Roster, at: Date): SeedCredential[] | undefined {
  if (!sharedSeeds) return undefined
  const live = liveOf(sharedSeeds, at)
  if (live.length === 0) throw sharedSeedExpired()
  return live
}

/**
 * The seed to hand out to a peer: the newest that is live, and not staged.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when none is live
 */
export function seedToHandOut(roster: Roster, peer: Peer, at: Date): SeedCredential {
  const live = liveSeedsOf(roster, peer, at)
  return newestLive(live, at) ?? live[0]
}

/** A token that can be sent. */
export type KnownToken = TokenCredential & { readonly token: Token }

/**
 * The token to hand out to a peer: the newest that is live, and not staged.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when none is live; `ERR_TOKEN_UNKNOWN` when only its hash is known
 */
export function tokenToHandOut(peer: Peer, at: Date): KnownToken {
  const newest = newestLive(peer.tokens, at)
  if (!newest) throw tokenExpired(peer.name)
  return { ...newest, token: requireKnown(newest.token, peer.name) }
}

/**
 * Returns a token that can be sent.
 *
 * @throws {TOTPError} `ERR_TOKEN_UNKNOWN` when only its hash is known
 */
export function requireKnown(token: Token | TokenHash, name: string): Token {
  if (token.value !== undefined) return token
  throw new TOTPError(
    'ERR_TOKEN_UNKNOWN',
    `only the hash is known of the token of "${name}", so it cannot be sent; import ${name}'s own configuration, or run ` +
      `\`a2a-totp rotate ${name} --token\` for a new one`,
  )
}

/** The error for a peer none of whose tokens is live. */
export const tokenExpired = (name: string): TOTPError => expired('token', { name })

function expired(what: 'seed' | 'token', { name }: Pick<Peer, 'name'>): TOTPError {
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
