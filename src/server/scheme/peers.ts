import { TOTPError, isTOTPError } from '../../core/errors.js'
import { isInstant } from '../../core/instant.js'
import { quoteName } from '../../core/name.js'
import { isLive } from '../../core/roster.js'
import { mayShareSeed, sharedOnce } from '../../core/shared-seed.js'
import {
  parseProfile,
  parseReplay,
  type Digits,
  type ReplayPolicy,
  type TOTPProfile,
} from '../../core/profile.js'
import type { ProofKey } from '../../core/proof/key.js'
import { parseSigned, usesProofs, type SignedPolicy } from '../../core/proof/profile.js'
import { requireStrongSeed, Seed } from '../../core/seed.js'
import { seedDigestOf } from '../../core/seed-digest.js'
import { isCode, timeStepAt } from '../../core/totp.js'
import type { Budget } from '../../state/budgets.js'
import { CodeBook } from './code-book.js'
import { requireDistinctSeeds } from './distinct-seeds.js'
import type { PeerSeed, SeedInput, SeedSet, TOTPServerAuthSchemeOptions } from './options.js'
import type { Caller } from './outcome.js'

/** A peer as requests are checked against it. */
export interface SchemePeer {
  readonly name: string
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
  readonly budgets: readonly Budget[]
  readonly seeds: readonly SchemeSeed[]
}

export interface SchemeSeed {
  readonly id: string
  readonly seed: Seed
  readonly expiresAt: Date | undefined
  /** Made for the first request that the seed is compared with. */
  book: CodeBook | undefined
  /** How a state knows the seed. Made with the book. */
  digest: string | undefined
  /** See `ProofKeys`. */
  proofKey: ProofKey | undefined
}

/** What a peer has unless its own seed set differs. */
export interface PeerDefaults {
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
  /** The budgets of a peer with that many digits. */
  readonly budgetsFor: (digits: Digits) => readonly Budget[]
  readonly allowWeakSeeds: boolean
}

/** The peers that may call. */
export interface PeerDirectory {
  find(name: string): SchemePeer | undefined
  /** Whether any peer has the policy `once`. */
  readonly once: boolean
  /** Whether any peer's proofs are looked at. */
  readonly readsProofs: boolean
  /** The seeds whose proofs are looked at. */
  readonly signingSeeds: readonly SchemeSeed[]
  /** The longest period of those peers, in seconds. */
  readonly longestPeriod: number
  /** Whether any peer's proofs are spent. */
  readonly spendsProofs: boolean
  /** Whether any peer's requests need a proof. */
  readonly requiresProofs: boolean
  /** Whether a peer shares a seed with another, and so its budget. */
  shares(name: string): boolean
}

/**
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with both kinds of seeds, with a shared one under `once`, for a seed that a
 *   peer has twice, or that two peers have with different algorithms, digits or periods; `ERR_SEED_MISSING` without
 *   seeds; and what {@link makePeer} throws.
 */
export function makePeers(
  { peerSeeds, sharedSeed }: Pick<TOTPServerAuthSchemeOptions, 'peerSeeds' | 'sharedSeed'>,
  defaults: PeerDefaults,
): PeerDirectory {
  if (peerSeeds !== undefined && sharedSeed !== undefined) {
    throw new TOTPError('ERR_CONFIG_INVALID', 'peerSeeds and sharedSeed exclude each other; pass one of them')
  }
  if (peerSeeds !== undefined) {
    const peers = new Map(
      [...mapOf(peerSeeds)].map(([name, input]) => [name, makePeer(name, input, defaults)]),
    )
    const sharing = requireDistinctSeeds(peers.values())
    return {
      shares: (name) => sharing.has(name),
      find: (name) => peers.get(name),
      ...needsOf([...peers.values()]),
    }
  }
  if (sharedSeed === undefined) {
    throw new TOTPError('ERR_SEED_MISSING', 'no seeds; pass peerSeeds, or one sharedSeed for all')
  }
  const anyone = makePeer('(shared)', sharedSeed, defaults)
  if (!mayShareSeed(anyone)) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `sharedSeed with replay "${anyone.replay}": ${sharedOnce}; pass peerSeeds, replay "reuse", or signed "require"`,
    )
  }
  requireDistinctSeeds([anyone])
  return { shares: () => true, find: (name) => ({ ...anyone, name }), ...needsOf([anyone]) }
}

type Needs = Omit<PeerDirectory, 'find' | 'shares'>

/** What the policies of the peers need. */
function needsOf(peers: readonly SchemePeer[]): Needs {
  const reading = peers.filter(({ signed }) => signed !== 'off')
  return {
    once: peers.some(({ replay }) => replay === 'once'),
    readsProofs: reading.length > 0,
    signingSeeds: reading.flatMap(({ seeds }) => seeds),
    longestPeriod: reading.reduce((longest, { profile }) => Math.max(longest, profile.period), 0),
    spendsProofs: peers.some(({ signed }) => usesProofs(signed)),
    requiresProofs: peers.some(({ signed }) => signed === 'require'),
  }
}

/** An object's own entries as a map, so that a peer can be named `constructor`. */
export function mapOf<V>(
  entries: Readonly<Record<string, V>> | ReadonlyMap<string, V>,
): ReadonlyMap<string, V> {
  return entries instanceof Map ? entries : new Map(Object.entries(entries as Readonly<Record<string, V>>))
}

/**
 * @throws {TOTPError} `ERR_SEED_MISSING` without a seed, `ERR_SEED_INVALID`, `ERR_SEED_WEAK`,
 *   `ERR_PROFILE_INVALID`, `ERR_CONFIG_INVALID`; each names the peer.
 */
export function makePeer(name: string, input: SeedInput, defaults: PeerDefaults): SchemePeer {
  const set = seedSetOf(input)
  return namingPeer(name, () => {
    if (set.seeds.length === 0) throw new TOTPError('ERR_SEED_MISSING', 'it has no seed; pass one')
    const profile = profileOf(set, defaults.profile)
    const seeds = set.seeds.map((seed, index) => makeSchemeSeed(seed, index, defaults.allowWeakSeeds))
    if (new Set(seeds.map(({ id }) => id)).size < seeds.length) {
      throw new TOTPError('ERR_CONFIG_INVALID', 'two of its seeds have the same id; ids must be unique')
    }
    return {
      name,
      profile,
      replay: parseReplay(set.replay ?? defaults.replay),
      signed: parseSigned(set.signed ?? defaults.signed),
      budgets: defaults.budgetsFor(profile.digits),
      seeds,
    }
  })
}

/** The agent's own object if nothing differs: with many peers, copies would be most of a server's memory. */
function profileOf({ algorithm, digits, period }: SeedSet, agents: TOTPProfile): TOTPProfile {
  const given = Object.entries({ algorithm, digits, period }).filter(
    ([key, value]) => value !== undefined && value !== agents[key as keyof typeof agents],
  )
  if (given.length === 0) return agents
  // The window is the agent's, and was checked with the agent's profile.
  const { window } = agents
  return { ...parseProfile({ ...agents, ...Object.fromEntries(given), window: undefined }), window }
}

/** What comparing a well-formed code with a peer's seeds showed. */
export type CodeComparison =
  | ({ readonly kind: 'match'; /** The seed's digest. */ readonly seed: string } & Pick<
      Caller,
      'seedId' | 'timeStep' | 'drift'
    >)
  | { readonly kind: 'guess'; readonly code: string }

/**
 * Compares a code with every seed of the peer. Only a live seed matches, but expired seeds are compared too, so that it
 * takes as long. If the token belongs to no peer, or no well-formed code was sent, the decoy is compared instead:
 * without a code nothing of a peer's is computed, so the time cannot tell whether its codes of this step are known.
 *
 * @param sent the code as it was sent, if any
 * @returns undefined if what was sent is not a well-formed code
 */
export function compareCode(
  owner: SchemePeer | undefined,
  decoy: SchemePeer,
  sent: string | undefined,
  at: Date,
): CodeComparison | undefined {
  const code = sent !== undefined && isCode(sent, (owner ?? decoy).profile) ? sent : undefined
  const peer = owner && code !== undefined ? owner : decoy
  const number = Number(code ?? 0)
  const now = timeStepAt(peer.profile, at)
  let match: CodeComparison | undefined
  for (const seed of peer.seeds) {
    const book = (seed.book ??= new CodeBook(seed.seed, peer.profile))
    const drift = book.match(number, now)
    if (drift !== undefined && isLive(seed, at)) {
      const digest = digestOf(seed, peer.profile)
      match ??= { kind: 'match', seed: digest, seedId: seed.id, timeStep: now + drift, drift }
    }
  }
  return code === undefined ? undefined : (match ?? { kind: 'guess', code })
}

/** The digests of a peer's live seeds. */
export function liveSeedsOf({ seeds, profile }: SchemePeer, at: Date): readonly string[] {
  return seeds.filter((seed) => isLive(seed, at)).map((seed) => digestOf(seed, profile))
}

function digestOf(seed: SchemeSeed, profile: TOTPProfile): string {
  return (seed.digest ??= seedDigestOf(seed.seed, profile))
}

function makeSchemeSeed(given: PeerSeed | null | undefined, index: number, allowWeak: boolean): SchemeSeed {
  if (!given?.seed) throw new TOTPError('ERR_SEED_MISSING', 'one of its seeds is empty; pass base32')
  const seed = typeof given.seed === 'string' ? Seed.fromBase32(given.seed) : given.seed
  // Not `instanceof`: the CLI's bundles each hold a copy of the class.
  if (typeof seed.bits !== 'number') {
    throw new TOTPError('ERR_SEED_INVALID', 'a seed must be base32, or a Seed')
  }
  if (given.expiresAt !== undefined && !isInstant(given.expiresAt)) {
    throw new TOTPError('ERR_CONFIG_INVALID', 'expiresAt of a seed must be a valid Date')
  }
  requireStrongSeed(seed, allowWeak, 'make a longer one, or set allowWeakSeeds')
  return {
    id: given.id ?? `seed-${index + 1}`,
    seed,
    expiresAt: given.expiresAt,
    book: undefined,
    digest: undefined,
    proofKey: undefined,
  }
}

function seedSetOf(input: SeedInput | null | undefined): SeedSet {
  if (!input) return { seeds: [] }
  return typeof input === 'object' && 'seeds' in input ? input : { seeds: [{ seed: input }] }
}

function namingPeer<T>(peer: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!isTOTPError(error)) throw error
    throw new TOTPError(error.code, `peer ${quoteName(peer)}: ${error.message}`)
  }
}
