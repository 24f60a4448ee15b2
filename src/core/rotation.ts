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
import type { Algorithm, CodeProfile } from './profile.js'
import { peersNamed, seedCredential, tokenCredential, type ProvisionOptions } from './provision.js'
import { makeSeed } from './seed.js'
import { makeToken } from './token.js'

/** Each live seed of a peer is one more that a guess can match. */
export const mostLiveSeeds = 2

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
  /**
   * How the codes of the new seed are made, where that changes. The agent has one such profile a peer, so no old seed can
   * stay: the overlap is then of the tokens alone.
   */
  readonly profile?: Partial<CodeProfile>
}

/**
 * Which peers to change. A shared seed belongs to all peers, so only `'all'` changes it. A canary is only changed by its
 * name: with a new token, the one that is planted would no longer be watched.
 */
export type PeerChoice = readonly string[] | 'all'

/**
 * Returns the roster with new credentials for the chosen peers: all of them or none. The old credentials stay valid for
 * the overlap at most, and expired ones are dropped. The new ones of a peer or a canary end when those that they follow
 * would have, unless these have expired. Without an overlap a pending rotation of a peer ends as well.
 *
 * @returns the same object when `madeBefore` leaves nothing to renew
 * @throws {TOTPError} `ERR_PEER_UNKNOWN` when there is no peer with one of the names; `ERR_OVERLAP_FULL` when a peer
 *   would have a third live seed; `ERR_ROTATION_PENDING` when one is in a rotation and there is an overlap; `ERR_USAGE` when the seeds of some peers are chosen and all peers share one, or only
 *   the seed of a canary
 */
export function rotate(
  roster: Roster,
  choice: PeerChoice,
  rotation: Rotation,
  { at, random }: ProvisionOptions,
): Roster {
  const ofSeeds = rotation.profile ? { ...rotation, overlapMs: 0 } : rotation
  const newSeed = (algorithm: Algorithm): SeedCredential =>
    seedCredential(makeSeed(algorithm, random), { at, random })
  const renewTokens = (old: readonly TokenCredential[]): readonly TokenCredential[] =>
    renew(old, rotation, at, () => lasting(tokenCredential(makeToken(random), { at, random }), old, at))
  return changed(roster, choice, rotation, {
    shared: (seeds) =>
      rotation.seed ? renewShared(seeds, ofSeeds, at, () => newSeed(roster.profile.algorithm)) : seeds,
    own: (before) => {
      const peer = rotation.overlapMs === 0 ? withoutRotation(before, at) : before
      const { algorithm } = { ...peer, ...rotation.profile }
      const seeds =
        rotation.seed && !roster.sharedSeeds
          ? renewSeeds(peer, ofSeeds, at, () => lasting(newSeed(algorithm), peer.seeds, at))
          : peer.seeds
      const tokens = rotation.token ? renewTokens(peer.tokens) : peer.tokens
      const same = seeds === peer.seeds && tokens === peer.tokens
      if (same && !(roster.sharedSeeds && rotation.profile)) return before
      refusePending(peer)
      return { ...peer, ...rotation.profile, seeds, tokens }
    },
    canary: renewTokens,
  })
}

/**
 * Returns the roster with only the newest credentials of the chosen peers.
 *
 * @returns the same object when there are no others
 * @throws {TOTPError} `ERR_PEER_UNKNOWN`, `ERR_ROTATION_PENDING` and `ERR_USAGE` as for {@link rotate}
 */
export function finishRotation(roster: Roster, choice: PeerChoice, kinds: CredentialKinds, at: Date): Roster {
  return changed(roster, choice, kinds, {
    shared: (seeds) => (kinds.seed ? onlyNewest(seeds, at) : seeds),
    own: (peer) => {
      refusePending(peer)
      const seeds = kinds.seed ? onlyNewest(peer.seeds, at) : peer.seeds
      const tokens = kinds.token ? onlyNewest(peer.tokens, at) : peer.tokens
      return seeds === peer.seeds && tokens === peer.tokens ? peer : { ...peer, seeds, tokens }
    },
    canary: (tokens) => onlyNewest(tokens, at),
  })
}

interface Changes {
  readonly shared: (seeds: readonly SeedCredential[]) => readonly SeedCredential[]
  /** Returns the same peer if nothing changes. */
  readonly own: (peer: Peer) => Peer
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
    const after = own(peer)
    if (after !== peer) peers.set(peer.name, after)
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

/** While a rotation is not finished, nobody knows which of its credentials are in use. */
function refusePending({ name, pending }: Peer): void {
  if (!pending) return
  throw new TOTPError(
    'ERR_ROTATION_PENDING',
    `a rotation of ${name} is not finished (${pending.step}); run \`a2a-totp rotate ${name} --resume\`, or --abandon, ` +
      'or pass --now after a leak',
  )
}

/**
 * The peer without its pending rotation: what was staged is dropped, or if it is in use, what it superseded. What is
 * staged and has no other beside it is in use from here on.
 */
function withoutRotation(peer: Peer, at: Date): Peer {
  const { pending, ...rest } = peer
  if (!pending) return peer
  const inUse = pending.step === 'delivered' || pending.step === 'proved'
  const settled = <C extends Credential>(credentials: readonly C[], renewed: boolean): readonly C[] => {
    const old = credentials.filter(({ staged }) => !staged)
    return inUse && renewed ? onlyNewest(old, at) : old.length > 0 ? old : credentials.map(unstaged)
  }
  return { ...rest, seeds: settled(peer.seeds, pending.seed), tokens: settled(peer.tokens, pending.token) }
}

/** Returns a credential as one that is in use. */
export function unstaged<C extends Credential>(credential: C): C {
  if (!credential.staged) return credential
  const rest: C & { staged?: true } = { ...credential }
  delete rest.staged
  return rest
}

function renewSeeds(
  { name, seeds, pending }: Peer,
  rotation: Rotation,
  at: Date,
  make: () => SeedCredential,
): readonly SeedCredential[] {
  // That a rotation is pending says more than that there are two seeds.
  return pending ? renew(seeds, rotation, at, make) : atMostTwo(seeds, name, name, rotation, at, make)
}

const renewShared = (
  seeds: readonly SeedCredential[],
  rotation: Rotation,
  at: Date,
  make: () => SeedCredential,
): readonly SeedCredential[] => atMostTwo(seeds, 'the store', '--all', rotation, at, make)

function atMostTwo(
  old: readonly SeedCredential[],
  owner: string,
  finish: string,
  rotation: Rotation,
  at: Date,
  make: () => SeedCredential,
): readonly SeedCredential[] {
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

/** A new credential with the end of the newest old one, which no rotation has superseded, unless that has passed. */
function lasting<C extends Credential>(fresh: C, old: readonly C[], at: Date): C {
  const newest = old.at(-1)
  return newest?.expiresAt && isLive(newest, at) ? { ...fresh, expiresAt: newest.expiresAt } : fresh
}

function onlyNewest<C extends Credential>(credentials: readonly C[], at: Date): readonly C[] {
  const current = newestLive(credentials, at) ?? credentials.at(-1)
  return credentials.length === 1 || current === undefined ? credentials : [current]
}
