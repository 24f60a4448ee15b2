import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import type { CodeProfile, ReplayPolicy, TOTPProfile } from './profile.js'
import type { SignedPolicy } from './proof/profile.js'
import { hashOf, isSame, mergeCredentials, seedOf, sharesSeed, sharesToken } from './credential-match.js'
import {
  canariesOf,
  type Canary,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from './roster.js'

/** A peer as its agent's server file has it. */
export interface KnownPeer extends CodeProfile {
  readonly name: string
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
  readonly createdAt: Date
  /** Oldest first; empty when the agent has shared seeds. */
  readonly seeds: readonly SeedCredential[]
  /** Oldest first; known by their hashes. Empty when all had expired: the file contradicts no token then. */
  readonly tokens: readonly TokenCredential[]
}

/** What a server file says of an agent and its peers. */
export interface KnownAgent {
  readonly agent: string
  readonly profile: TOTPProfile
  readonly serial: number
  /** The agent's own policy for proofs. */
  readonly signed: SignedPolicy
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
  const draft: Draft = {
    base,
    peers: new Map(base.peers),
    canaries: new Map(base.canaries),
    added: [],
    completed: [],
    conflicts: [],
  }
  for (const canary of known.canaries) addCanary(draft, canary)
  for (const peer of known.peers) addPeer(draft, peer, known.sharedSeeds, takes)
  const { peers, canaries, added, completed, conflicts } = draft
  const merged: Roster = { ...base, peers, canaries: canaries.size > 0 ? canaries : undefined }
  return { roster: merged, added, completed, conflicts: [...conflicts, ...repeatedTokens(merged)] }
}

/** A {@link Rebuilt} in the making. */
interface Draft {
  readonly base: Roster
  readonly peers: Map<string, Peer>
  readonly canaries: Map<string, Canary>
  readonly added: string[]
  readonly completed: string[]
  readonly conflicts: Conflict[]
}

function addCanary({ peers, canaries, added, completed, conflicts }: Draft, canary: Canary): void {
  const { name } = canary
  const old = canaries.get(name)
  const bait = peers.get(name)
  if (bait && sharesToken(bait, canary)) {
    // The file that is planted as bait was imported first, as if it were a peer's.
    peers.delete(name)
    const tokens = mergeCredentials(bait.tokens, canary.tokens, hashOf)
    canaries.set(name, { ...canary, createdAt: bait.createdAt, tokens })
    completed.push(name)
  } else if (bait) {
    conflicts.push({ name, message: `the store has a peer named ${quoteName(name)}, and the file a canary` })
  } else if (!old) {
    canaries.set(name, canary)
    added.push(name)
  } else if (!sharesToken(old, canary)) {
    conflicts.push({ name, message: `the canary ${quoteName(name)} has another token in the store` })
  } else {
    const after = { ...old, tokens: mergeCredentials(old.tokens, canary.tokens, hashOf) }
    if (!isSame(old, after)) completed.push(name)
    canaries.set(name, after)
  }
}

/** @param takes whether the store takes what the file says of the agent, its shared seeds included */
function addPeer(
  { base, peers, canaries, added, completed, conflicts }: Draft,
  peer: KnownPeer,
  sharedSeeds: KnownAgent['sharedSeeds'],
  takes: boolean,
): void {
  const { name } = peer
  const old = peers.get(name)
  const refuse = (message: string): void => void conflicts.push({ name, message })
  if (canaries.has(name)) refuse(`the store has a canary named ${quoteName(name)}, and the file a peer`)
  else if (!takes && (base.sharedSeeds !== undefined) !== (sharedSeeds !== undefined))
    refuse('only one of the store and the file has a seed for all peers')
  else if (!old) {
    peers.set(name, peerOf(base, peer))
    added.push(name)
  } else if (!sharesSeed(base.sharedSeeds ?? old.seeds, sharedSeeds ?? peer.seeds))
    refuse(`${quoteName(name)} has another seed in the store`)
  else if (!agreesOnTokens(old, peer)) refuse(`${quoteName(name)} has another token in the store`)
  else {
    const after = mergedPeer(base, old, peer)
    if (!isSame(old, after)) completed.push(name)
    peers.set(name, after)
  }
}

function refuseOther(roster: Roster, { agent, profile }: KnownAgent): void {
  const remedy = 'import it into a new store, or pass --force to keep the name and profile of this one'
  if (agent !== roster.agent) {
    throw new TOTPError(
      'ERR_IMPORT_INVALID',
      `the file is of the agent ${quoteName(agent)}, and the store of ${quoteName(roster.agent)}; ${remedy}`,
    )
  }
  const differing = differingFields(profile, roster.profile)
  if (differing.length > 0) {
    throw new TOTPError(
      'ERR_IMPORT_INVALID',
      `the file and the store differ in ${differing.join(', ')} of the agent's profile; ${remedy}`,
    )
  }
}

/** Returns the names of the fields in which two profiles differ. */
export function differingFields(one: TOTPProfile, other: TOTPProfile): string[] {
  return profileFields.filter((field) => one[field] !== other[field])
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
    // The peers of a shared seed have no other.
    if (roster.sharedSeeds && !known.sharedSeeds) return false
    const seeds = roster.sharedSeeds ?? holder.seeds
    return agreesOnTokens(holder, one) && sharesSeed(seeds, known.sharedSeeds ?? one.seeds)
  }
  return [...roster.peers.values(), ...canariesOf(roster)].every(isKnown)
}

const agreesOnTokens = (old: Peer, known: KnownPeer): boolean =>
  known.tokens.length === 0 || sharesToken(old, known)

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
    // A file of before has none, and neither had its store.
    signed: known.signed === 'off' ? undefined : known.signed,
    sharedSeeds: known.sharedSeeds && sharedAfter(roster.sharedSeeds ?? [], known.sharedSeeds),
  }
}

/** A store that was just made with a shared seed of its own gives it up. */
function sharedAfter(
  store: readonly SeedCredential[],
  file: readonly SeedCredential[],
): readonly SeedCredential[] {
  return sharesSeed(store, file) ? mergeCredentials(store, file, seedOf) : file
}

function peerOf(roster: Roster, { replay, signed, ...one }: KnownPeer): Peer {
  return {
    ...one,
    ...(replay === roster.replay ? {} : { replay }),
    ...(signed === (roster.signed ?? 'off') ? {} : { signed }),
  }
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
    signed: known.signed === (roster.signed ?? 'off') ? undefined : known.signed,
    seeds: roster.sharedSeeds ? [] : mergeCredentials(old.seeds, known.seeds, seedOf),
    tokens: mergeCredentials(old.tokens, known.tokens, hashOf),
  }
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
