import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import {
  canariesOf,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from './roster.js'
import { makeSameCodes, mayShareSeed, notSharable } from './shared-seed.js'
import type { CodeProfile, ReplayPolicy } from './profile.js'
import type { SignedPolicy } from './proof/profile.js'
import type { RandomBytes } from './random.js'
import { makeSeed, type Seed } from './seed.js'
import { makeToken, type Token, type TokenHash } from './token.js'
import { unknownPeers } from './unknown-peers.js'

/** What a new peer is made from. The roster supplies a missing profile or policy; a missing seed or token is created. */
export interface PeerRequest extends Partial<CodeProfile> {
  readonly name: string
  readonly replay?: ReplayPolicy
  readonly signed?: SignedPolicy
  readonly note?: string
  readonly seed?: Seed
  readonly token?: Token
  /** When its seed and its token end; a shared seed is not theirs. */
  readonly expiresAt?: Date
}

/** What creating credentials depends on. */
export interface ProvisionOptions {
  /** When they are created. */
  readonly at: Date
  readonly random: RandomBytes
}

/**
 * Creates a peer with a token and, unless the roster has a shared seed, a seed. It does not add the peer to the roster.
 *
 * @throws {TOTPError} `ERR_USAGE` when the roster has a shared seed, and the request has a seed or the policy `once`
 */
export function provisionPeer(roster: Roster, request: PeerRequest, options: ProvisionOptions): Peer {
  if (roster.sharedSeeds && request.seed) {
    throw new TOTPError(
      'ERR_USAGE',
      'this store has one seed for all peers, so a peer cannot have its own; create a store without --shared-seed',
    )
  }
  const { replay = roster.replay, signed = roster.signed } = request
  if (roster.sharedSeeds && !mayShareSeed({ replay, signed }))
    throw new TOTPError('ERR_USAGE', notSharable(replay, request.replay ? '' : ', which the agent has'))
  const { at, random } = options
  const profile = { ...roster.profile, ...request }
  const [other] = roster.peers.values()
  if (roster.sharedSeeds && other && !makeSameCodes(profile, other)) {
    throw new TOTPError(
      'ERR_USAGE',
      `this store has one seed for all peers, so they have one profile: that of ${quoteName(other.name)} is ` +
        `${other.algorithm}, ${other.digits} digits, ${other.period} s`,
    )
  }
  const { algorithm, digits, period } = profile
  const life = request.expiresAt ? { expiresAt: request.expiresAt } : {}
  return {
    name: request.name,
    algorithm,
    digits,
    period,
    ...(request.replay ? { replay: request.replay } : {}),
    ...(request.signed ? { signed: request.signed } : {}),
    ...(request.note ? { note: request.note } : {}),
    createdAt: at,
    seeds: roster.sharedSeeds
      ? []
      : [{ ...seedCredential(request.seed ?? makeSeed(algorithm, random), options), ...life }],
    tokens: [{ ...tokenCredential(request.token ?? makeToken(random), options), ...life }],
  }
}

/** Gives a seed an id and its time of creation. */
export function seedCredential(seed: Seed, options: ProvisionOptions): SeedCredential {
  return { ...newCredential('s', options), seed }
}

/** Gives a token an id and its time of creation. */
export function tokenCredential(token: Token | TokenHash, options: ProvisionOptions): TokenCredential {
  return { ...newCredential('t', options), token }
}

/**
 * Returns the roster with peers added: all of them or none.
 *
 * @throws {TOTPError} `ERR_PEER_EXISTS` when a name is taken; `ERR_TOKEN_INVALID` when another peer or a canary has the
 *   same token, since the token identifies the caller
 */
export function withPeers(roster: Roster, added: readonly Peer[]): Roster {
  refuseTaken(roster, added)
  return { ...roster, peers: new Map([...roster.peers, ...added.map((peer) => [peer.name, peer] as const)]) }
}

/**
 * Returns the roster with peers and canaries removed: all of them or none.
 *
 * @throws {TOTPError} `ERR_PEER_UNKNOWN` when there is neither a peer nor a canary with some of the names
 */
export function withoutPeers(roster: Roster, names: readonly string[]): Roster {
  const peers = new Map(roster.peers)
  const canaries = new Map(roster.canaries)
  const unknown = [...new Set(names)].filter((name) => !peers.delete(name) && !canaries.delete(name))
  if (unknown.length > 0) throw unknownPeers(roster, unknown)
  return { ...roster, peers, ...(roster.canaries && { canaries }) }
}

/**
 * @throws {TOTPError} `ERR_PEER_UNKNOWN` when there is no peer with that name; `ERR_SEED_MISSING` when it is the name of a
 *   canary
 */
export function peerNamed(roster: Roster, name: string): Peer {
  const peer = roster.peers.get(name)
  if (peer) return peer
  if (!roster.canaries?.has(name)) throw unknownPeers(roster, [name])
  throw new TOTPError(
    'ERR_SEED_MISSING',
    `${quoteName(name)} is a canary, which has no seed and makes no codes; name a peer`,
  )
}

/**
 * Returns several peers.
 *
 * @throws {TOTPError} as {@link peerNamed}; `ERR_PEER_UNKNOWN` names all that are unknown
 */
export function peersNamed(roster: Roster, names: readonly string[]): Peer[] {
  const unknown = names.filter((name) => !roster.peers.has(name) && !roster.canaries?.has(name))
  if (unknown.length > 0) throw unknownPeers(roster, unknown)
  return names.map((name) => peerNamed(roster, name))
}

/**
 * Requires that no name and no token of new peers or canaries is in use.
 *
 * @throws {TOTPError} `ERR_PEER_EXISTS`, `ERR_TOKEN_INVALID`
 */
export function refuseTaken(roster: Roster, added: readonly Pick<Peer | Canary, 'name' | 'tokens'>[]): void {
  const [peers, canaries] = [roster.peers.values(), canariesOf(roster)]
  const names = new Map([...roster.peers.keys()].map((name) => [name, 'a peer']))
  for (const { name } of canaries) names.set(name, 'a canary')
  const owners = new Map<string, string>()
  for (const { tokens } of peers) for (const { token } of tokens) owners.set(token.hash, 'another peer')
  for (const { tokens } of canaries) for (const { token } of tokens) owners.set(token.hash, 'a canary')
  for (const { name, tokens } of added) {
    const taken = names.get(name)
    if (taken) {
      throw new TOTPError(
        'ERR_PEER_EXISTS',
        `${taken} ${quoteName(name)} already exists; choose another name, or pass --if-missing`,
      )
    }
    names.set(name, 'a peer')
    for (const { token } of tokens) {
      const owner = owners.get(token.hash)
      if (owner)
        throw new TOTPError('ERR_TOKEN_INVALID', `${owner} already has this token; each peer needs its own`)
      owners.set(token.hash, 'another peer')
    }
  }
}

function newCredential(kind: 's' | 't', { at, random }: ProvisionOptions): Credential {
  return { id: `${kind}-${Buffer.from(random(5)).toString('hex')}`, createdAt: at }
}
