import { withReplaced } from './canary.js'
import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import {
  canariesOf,
  isLive,
  newestLive,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from './roster.js'
import type { Algorithm } from './profile.js'
import { peersNamed, seedCredential, tokenCredential, type ProvisionOptions } from './provision.js'
import { makeSeed } from './seed.js'
import { makeToken } from './token.js'

/** Each live seed of a peer is one more that a guess can match. */
const mostLiveSeeds = 2

/** Which credentials of a peer to change. */
export interface CredentialKinds {
  readonly seed: boolean
  readonly token: boolean
}

export interface Rotation extends CredentialKinds {
  /** How long the old credentials stay valid beside the new ones, in milliseconds; 0 ends them at once. */
  readonly overlapMs: number
  /** Credentials created after this instant are kept. */
  readonly madeBefore?: Date
}

/**
 * Which peers to change. A shared seed belongs to all peers, so only `'all'` changes it. A canary is only changed by its
 * name: with a new token, the one that is planted would no longer be watched.
 */
export type PeerChoice = readonly string[] | 'all'

/**
 * Returns the roster with new credentials for the chosen peers: all of them or none. The old credentials stay valid for
 * the overlap at most, and expired ones are dropped.
 *
 * @returns the same object when `madeBefore` leaves nothing to renew
 * @throws {TOTPError} `ERR_PEER_UNKNOWN` when there is no peer with one of the names; `ERR_OVERLAP_FULL` when a peer
 *   would have a third live seed; `ERR_USAGE` when the seeds of some peers are chosen and all peers share one, or only
 *   the seed of a canary
 */
export function rotate(
  roster: Roster,
  choice: PeerChoice,
  rotation: Rotation,
  { at, random }: ProvisionOptions,
): Roster {
  const newSeed = (algorithm: Algorithm): SeedCredential =>
    seedCredential(makeSeed(algorithm, random), { at, random })
  const newToken = (): TokenCredential => tokenCredential(makeToken(random), { at, random })
  return changed(roster, choice, rotation, {
    shared: (seeds) =>
      rotation.seed
        ? renewSeeds(seeds, 'the store', '--all', rotation, at, () => newSeed(roster.profile.algorithm))
        : seeds,
    own: (peer) => ({
      seeds:
        rotation.seed && !roster.sharedSeeds
          ? renewSeeds(peer.seeds, peer.name, peer.name, rotation, at, () => newSeed(peer.algorithm))
          : peer.seeds,
      tokens: rotation.token ? renew(peer.tokens, rotation, at, newToken) : peer.tokens,
    }),
    canary: (tokens) => renew(tokens, rotation, at, newToken),
  })
}

/**
 * Returns the roster with only the newest credentials of the chosen peers.
 *
 * @returns the same object when there are no others
 * @throws {TOTPError} `ERR_PEER_UNKNOWN` and `ERR_USAGE` as for {@link rotate}
 */
export function finishRotation(roster: Roster, choice: PeerChoice, kinds: CredentialKinds, at: Date): Roster {
  return changed(roster, choice, kinds, {
    shared: (seeds) => (kinds.seed ? onlyNewest(seeds, at) : seeds),
    own: ({ seeds, tokens }) => ({
      seeds: kinds.seed ? onlyNewest(seeds, at) : seeds,
      tokens: kinds.token ? onlyNewest(tokens, at) : tokens,
    }),
    canary: (tokens) => onlyNewest(tokens, at),
  })
}

interface Changes {
  readonly shared: (seeds: readonly SeedCredential[]) => readonly SeedCredential[]
  readonly own: (peer: Peer) => Pick<Peer, 'seeds' | 'tokens'>
  readonly canary: (tokens: readonly TokenCredential[]) => readonly TokenCredential[]
}

/** Changes the chosen canaries, and then the chosen peers. */
function changed(roster: Roster, choice: PeerChoice, kinds: CredentialKinds, changes: Changes): Roster {
  const [canaries, names] = choice === 'all' ? [[], choice] : apart(roster, choice)
  const [canary] = canaries
  if (canary && !kinds.token) {
    throw new TOTPError(
      'ERR_USAGE',
      `${quoteName(canary.name)} is a canary, which has no seed; pass --token for a new token`,
    )
  }
  if (names.length > 0) refuseSharedSeedOfSome(roster, names, kinds)
  const renewed = canaries.flatMap((one) => {
    const tokens = changes.canary(one.tokens)
    return tokens === one.tokens ? [] : { ...one, tokens }
  })
  const base = renewed.length === 0 ? roster : withReplaced(roster, renewed)
  return changedPeers(base, names, changes)
}

/** The canaries among some names, and the other names. */
function apart(roster: Roster, names: readonly string[]): [readonly Canary[], readonly string[]] {
  const canaries = canariesOf(roster).filter(({ name }) => names.includes(name))
  return [canaries, names.filter((name) => !roster.canaries?.has(name))]
}

function changedPeers(roster: Roster, choice: PeerChoice, { shared, own }: Changes): Roster {
  const all = choice === 'all'
  const chosen = all ? [...roster.peers.values()] : peersNamed(roster, choice)
  const peers = new Map(roster.peers)
  for (const peer of chosen) {
    const { seeds, tokens } = own(peer)
    if (seeds !== peer.seeds || tokens !== peer.tokens) peers.set(peer.name, { ...peer, seeds, tokens })
  }
  const sharedSeeds = roster.sharedSeeds && all ? shared(roster.sharedSeeds) : roster.sharedSeeds
  const same =
    sharedSeeds === roster.sharedSeeds &&
    chosen.every(({ name }) => peers.get(name) === roster.peers.get(name))
  return same ? roster : { ...roster, sharedSeeds, peers }
}

function refuseSharedSeedOfSome(roster: Roster, choice: PeerChoice, { seed }: CredentialKinds): void {
  if (!roster.sharedSeeds || !seed || choice === 'all') return
  throw new TOTPError(
    'ERR_USAGE',
    'this store has one seed for all peers; pass --all to renew it, or --token to renew only tokens',
  )
}

function renewSeeds<C extends Credential>(
  old: readonly C[],
  owner: string,
  finish: string,
  rotation: Rotation,
  at: Date,
  make: () => C,
): readonly C[] {
  const seeds = renew(old, rotation, at, make)
  if (seeds === old || seeds.length <= mostLiveSeeds) return seeds
  throw new TOTPError(
    'ERR_OVERLAP_FULL',
    `${owner} already has ${mostLiveSeeds} live seeds; run \`a2a-totp rotate ${finish} --finish\` first, or pass --now`,
  )
}

function renew<C extends Credential>(
  old: readonly C[],
  { overlapMs, madeBefore }: Rotation,
  at: Date,
  make: () => C,
): readonly C[] {
  const current = newestLive(old, at)
  if (madeBefore && current && current.createdAt > madeBefore) return old
  const end = new Date(at.getTime() + overlapMs)
  const ending = old.map((one) => (isLive(one, end) ? { ...one, expiresAt: end } : one))
  return [...ending.filter((one) => isLive(one, at)), make()]
}

function onlyNewest<C extends Credential>(credentials: readonly C[], at: Date): readonly C[] {
  const current = newestLive(credentials, at) ?? credentials.at(-1)
  return credentials.length === 1 || current === undefined ? credentials : [current]
}
