import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import type { CodeProfile, ReplayPolicy, TOTPProfile } from './profile.js'
import {
  canariesOf,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from './roster.js'

/** A peer as its agent's server file has it. */
export interface KnownPeer extends CodeProfile {
  readonly name: string
  readonly replay: ReplayPolicy
  readonly createdAt: Date
  /** Oldest first; empty when the agent has shared seeds. */
  readonly seeds: readonly SeedCredential[]
  /** Oldest first; known by their hashes. */
  readonly tokens: readonly TokenCredential[]
}

/** What a server file says of an agent and its peers. */
export interface KnownAgent {
  readonly agent: string
  readonly profile: TOTPProfile
  readonly serial: number
  /** Whether the file says that policy `once` is in use. */
  readonly requiresOnce: boolean
  readonly sharedSeeds?: readonly SeedCredential[]
  readonly peers: readonly KnownPeer[]
  readonly canaries: readonly Canary[]
}

/** Why a peer of a file was left out. */
export interface Conflict {
  readonly name: string
  readonly message: string
}

/** A roster with what was known elsewhere. */
export interface Rebuilt {
  readonly roster: Roster
  /** Names that were not there before. */
  readonly added: readonly string[]
  /** Names that were there, and of which more is known now. */
  readonly completed: readonly string[]
  readonly conflicts: readonly Conflict[]
}

/**
 * Adds what a server file says to a roster. One without peers takes the agent's name, profile and serial; so does one
 * whose peers are all in the file, with the same credentials. Any other keeps its own.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the file is of another agent, or has another profile, unless `force` is set
 */
export function withKnownAgent(roster: Roster, known: KnownAgent, force: boolean): Rebuilt {
  const isEmpty = roster.peers.size === 0 && canariesOf(roster).length === 0
  const takes = isEmpty || (roster.agent === known.agent && isPartOf(roster, known))
  if (!takes && !force) refuseOther(roster, known)
  const base = takes ? taking(roster, known) : roster
  const peers = new Map(isEmpty ? [] : base.peers)
  const canaries = new Map(base.canaries)
  const added: string[] = []
  const completed: string[] = []
  const conflicts: Conflict[] = []
  const refuse = (name: string, message: string): void => void conflicts.push({ name, message })
  for (const canary of known.canaries) {
    const { name } = canary
    const old = canaries.get(name)
    const bait = peers.get(name)
    if (bait && sharesToken(bait, canary)) {
      // The file that is planted as bait was imported first, as if it were a peer's.
      peers.delete(name)
      canaries.set(name, {
        ...canary,
        createdAt: bait.createdAt,
        tokens: merged(bait.tokens, canary.tokens, hashOf),
      })
      completed.push(name)
    } else if (bait) refuse(name, `the store has a peer named ${quoteName(name)}, and the file a canary`)
    else if (!old) {
      canaries.set(name, canary)
      added.push(name)
    } else if (!sharesToken(old, canary))
      refuse(name, `the canary ${quoteName(name)} has another token in the store`)
    else {
      const after = { ...old, tokens: merged(old.tokens, canary.tokens, hashOf) }
      if (!isSame(old, after)) completed.push(name)
      canaries.set(name, after)
    }
  }
  for (const one of known.peers) {
    const { name } = one
    const old = peers.get(name)
    const seeds = known.sharedSeeds ?? one.seeds
    if (canaries.has(name))
      refuse(name, `the store has a canary named ${quoteName(name)}, and the file a peer`)
    else if (!takes && (base.sharedSeeds !== undefined) !== (known.sharedSeeds !== undefined))
      refuse(name, 'only one of the store and the file has a seed for all peers')
    else if (!old) {
      peers.set(name, peerOf(base, one))
      added.push(name)
    } else if (!shareSeed(base.sharedSeeds ?? old.seeds, seeds) && !(takes && shareSeed(old.seeds, seeds)))
      refuse(name, `${quoteName(name)} has another seed in the store`)
    else if (!sharesToken(old, one)) refuse(name, `${quoteName(name)} has another token in the store`)
    else {
      const after = mergedPeer(base, old, one)
      if (!isSame(old, after)) completed.push(name)
      peers.set(name, after)
    }
  }
  const merging: Roster = { ...base, peers, canaries: canaries.size > 0 ? canaries : undefined }
  return { roster: merging, added, completed, conflicts: [...conflicts, ...repeatedTokens(merging)] }
}

/** A peer that a client's own configuration tells more about. */
export interface Completion {
  readonly seed: string | undefined
  readonly tokenHash: string
}

/**
 * Returns the name of the peer or canary that has a token, by its hash; else of the only peer that has the seed as its
 * own. Undefined when there is none.
 */
export function holderOf(roster: Roster, { seed, tokenHash }: Completion): string | undefined {
  const holders = [...roster.peers.values(), ...canariesOf(roster)]
  const byToken = holders.find(({ tokens }) => tokens.some(({ token }) => token.hash === tokenHash))
  if (byToken) return byToken.name
  const bySeed = [...roster.peers.values()].filter(({ seeds }) =>
    seeds.some((one) => one.seed.base32 === seed),
  )
  return bySeed.length === 1 ? bySeed[0]?.name : undefined
}

function refuseOther(roster: Roster, { agent, profile }: KnownAgent): void {
  const remedy = 'import it into a new store, or pass --force to keep the name and profile of this one'
  if (agent !== roster.agent) {
    throw new TOTPError(
      'ERR_IMPORT_INVALID',
      `the file is of the agent ${quoteName(agent)}, and the store of ${quoteName(roster.agent)}; ${remedy}`,
    )
  }
  const differing = profileFields.filter((field) => profile[field] !== roster.profile[field])
  if (differing.length > 0) {
    throw new TOTPError(
      'ERR_IMPORT_INVALID',
      `the file and the store differ in ${differing.join(', ')} of the agent's profile; ${remedy}`,
    )
  }
}

const profileFields = ['algorithm', 'digits', 'period', 'window', 'header'] as const

/** Whether the roster has nothing that the file does not know. */
function isPartOf(roster: Roster, known: KnownAgent): boolean {
  const peers = new Map(known.peers.map((one) => [one.name, one]))
  const canaries = new Map(known.canaries.map((one) => [one.name, one]))
  const isKnown = (holder: Peer | Canary): boolean => {
    const one = peers.get(holder.name)
    if (!one || !('seeds' in holder)) {
      const canary = canaries.get(holder.name)
      return canary !== undefined && sharesToken(holder, canary)
    }
    const seeds = roster.sharedSeeds ?? holder.seeds
    return sharesToken(holder, one) && shareSeed(seeds, known.sharedSeeds ?? one.seeds)
  }
  return [...roster.peers.values(), ...canariesOf(roster)].every(isKnown)
}

function taking(roster: Roster, known: KnownAgent): Roster {
  const policies = new Set(known.peers.map(({ replay }) => replay))
  const [only] = policies
  // The file has each peer's policy and not the agent's own: what all have is that of the next peer, too.
  const replay =
    policies.size === 1 && only ? only : known.requiresOnce && policies.size === 0 ? 'once' : roster.replay
  return {
    ...roster,
    agent: known.agent,
    profile: known.profile,
    serial: Math.max(roster.serial ?? 0, known.serial),
    replay,
    sharedSeeds: known.sharedSeeds && sharedAfter(roster.sharedSeeds ?? [], known.sharedSeeds),
  }
}

/** A store that was just made with a shared seed of its own gives it up. */
function sharedAfter(
  store: readonly SeedCredential[],
  file: readonly SeedCredential[],
): readonly SeedCredential[] {
  return shareSeed(store, file) ? merged(store, file, seedOf) : file
}

function peerOf(roster: Roster, { replay, ...one }: KnownPeer): Peer {
  return { ...one, ...(replay === roster.replay ? {} : { replay }) }
}

/** The file says how the agent checks codes; note and age are known to the store alone. */
function mergedPeer(roster: Roster, old: Peer, known: KnownPeer): Peer {
  const { algorithm, digits, period } = known
  return {
    ...old,
    algorithm,
    digits,
    period,
    replay: known.replay === roster.replay ? undefined : known.replay,
    seeds: roster.sharedSeeds ? [] : merged(old.seeds, known.seeds, seedOf),
    tokens: merged(old.tokens, known.tokens, hashOf),
  }
}

const seedOf = ({ seed }: SeedCredential): string => seed.base32
const hashOf = ({ token }: TokenCredential): string => token.hash

function shareSeed(one: readonly SeedCredential[], other: readonly SeedCredential[]): boolean {
  const seeds = new Set(one.map(seedOf))
  return other.some((credential) => seeds.has(seedOf(credential)))
}

function sharesToken(one: Pick<Peer, 'tokens'>, other: Pick<Peer, 'tokens'>): boolean {
  const hashes = new Set(one.tokens.map(hashOf))
  return other.tokens.some((credential) => hashes.has(hashOf(credential)))
}

/**
 * The credentials of both: with the ids of the file, the values of the store, and the earlier end. In the order of the
 * one that has all of them.
 */
function merged<C extends Credential>(
  store: readonly C[],
  file: readonly C[],
  keyOf: (one: C) => string,
): readonly C[] {
  const known = new Map(file.map((one) => [keyOf(one), one]))
  const own = new Map(store.map((one) => [keyOf(one), one]))
  const both = (mine: C, theirs: C): C => {
    const ends = [mine.expiresAt, theirs.expiresAt].flatMap((end) => (end ? [end.getTime()] : []))
    return {
      ...mine,
      id: theirs.id,
      ...(ends.length > 0 && { expiresAt: new Date(Math.min(...ends)) }),
    }
  }
  const mergedOne = (one: C): C => {
    const [mine, theirs] = [own.get(keyOf(one)), known.get(keyOf(one))]
    return mine && theirs ? both(mine, theirs) : one
  }
  const isInStore = file.every((one) => own.has(keyOf(one)))
  if (isInStore) return store.map(mergedOne)
  return [...store.filter((one) => !known.has(keyOf(one))), ...file.map(mergedOne)]
}

/** Compares what a server file can say. */
function isSame(one: Peer | Canary, other: Peer | Canary): boolean {
  return fingerprint(one) === fingerprint(other)
}

function fingerprint(holder: Peer | Canary): string {
  const life = ({ id, expiresAt }: Credential): string => `${id} ${expiresAt?.toISOString() ?? ''}`
  const tokens = holder.tokens.map((one) => [hashOf(one), one.token.value !== undefined, life(one)])
  if (!('seeds' in holder)) return JSON.stringify(tokens)
  const { algorithm, digits, period, replay, seeds } = holder
  return JSON.stringify([
    [algorithm, digits, period, replay],
    seeds.map((one) => [seedOf(one), life(one)]),
    tokens,
  ])
}

/** A token identifies its peer, so no two have the same. */
function repeatedTokens(roster: Roster): Conflict[] {
  const owners = new Map<string, string>()
  return [...roster.peers.values(), ...canariesOf(roster)].flatMap(({ name, tokens }) =>
    tokens.flatMap(({ token }) => {
      const owner = owners.get(token.hash)
      owners.set(token.hash, name)
      if (owner === undefined || owner === name) return []
      return [{ name, message: `${quoteName(name)} has the same token as ${quoteName(owner)}` }]
    }),
  )
}
