import { TOTPError } from './errors.js'
import {
  isLive,
  newestLive,
  type Credential,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from './roster.js'
import type { Algorithm } from './profile.js'
import { peerNamed, seedCredential, tokenCredential, type ProvisionOptions } from './provision.js'
import { makeSeed } from './seed.js'
import { makeToken } from './token.js'

/** Every live seed of a peer is one more that a guess can hit. */
const mostLiveSeeds = 2

/** Which credentials of a peer are meant. */
export interface CredentialKinds {
  readonly seed: boolean
  readonly token: boolean
}

export interface Rotation extends CredentialKinds {
  /** How long what was there stays valid beside the new, in milliseconds; 0 ends it at once. */
  readonly overlapMs: number
  /** Leaves alone what was made after this instant. */
  readonly madeBefore?: Date
}

/** The peers that are meant. Shared seeds are everybody's, so they go with `'all'` only. */
export type PeerChoice = readonly string[] | 'all'

/**
 * The roster with new credentials for some peers: all of them or none. Those that were there live on for the
 * overlap at most, and what has expired is dropped.
 *
 * @returns the same object when `madeBefore` leaves nothing to renew
 * @throws {TOTPError} `ERR_PEER_UNKNOWN`; `ERR_OVERLAP_FULL` when a peer would have a third live seed;
 *   `ERR_USAGE` when the seed of some peers is to be renewed and the roster shares one among all.
 */
export function rotate(
  roster: Roster,
  choice: PeerChoice,
  rotation: Rotation,
  { at, random }: ProvisionOptions,
): Roster {
  refuseSharedSeedOfSome(roster, choice, rotation)
  const newSeed = (algorithm: Algorithm): SeedCredential =>
    seedCredential(makeSeed(algorithm, random), { at, random })
  const newToken = (): TokenCredential => tokenCredential(makeToken(random), { at, random })
  return changed(roster, choice, {
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
  })
}

/**
 * The roster without what newer credentials have superseded, or time has ended.
 *
 * @returns the same object when nothing is superseded
 * @throws {TOTPError} `ERR_PEER_UNKNOWN`; `ERR_USAGE` as for {@link rotate}
 */
export function finishRotation(roster: Roster, choice: PeerChoice, kinds: CredentialKinds, at: Date): Roster {
  refuseSharedSeedOfSome(roster, choice, kinds)
  return changed(roster, choice, {
    shared: (seeds) => (kinds.seed ? onlyNewest(seeds, at) : seeds),
    own: ({ seeds, tokens }) => ({
      seeds: kinds.seed ? onlyNewest(seeds, at) : seeds,
      tokens: kinds.token ? onlyNewest(tokens, at) : tokens,
    }),
  })
}

interface Changes {
  readonly shared: (seeds: readonly SeedCredential[]) => readonly SeedCredential[]
  readonly own: (peer: Peer) => Pick<Peer, 'seeds' | 'tokens'>
}

function changed(roster: Roster, choice: PeerChoice, { shared, own }: Changes): Roster {
  const all = choice === 'all'
  const chosen = all ? [...roster.peers.values()] : choice.map((name) => peerNamed(roster, name))
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
    'this store has one seed for all peers; say --all to renew it for all, or --token for the tokens alone',
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
    `${owner} has ${mostLiveSeeds} live seeds already; run \`a2a-totp rotate ${finish} --finish\` first, or say --now`,
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
