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
 * The seed to hand out to a peer: the newest that is live.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when none is live
 */
export function seedToHandOut(roster: Roster, peer: Peer, at: Date): SeedCredential {
  const [oldest, ...newer] = liveSeedsOf(roster, peer, at)
  return newer.at(-1) ?? oldest
}

/**
 * The token to hand out to a peer: the newest that is live.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when none is live
 */
export function tokenToHandOut(peer: Peer, at: Date): TokenCredential {
  const newest = newestLive(peer.tokens, at)
  if (!newest) throw expired('token', peer)
  return newest
}

function expired(what: 'seed' | 'token', { name }: Peer): TOTPError {
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
