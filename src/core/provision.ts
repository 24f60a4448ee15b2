import { TOTPError } from './errors.js'
import { isName, quoteName } from './name.js'
import type { Credential, Peer, Roster, SeedCredential, TokenCredential } from './roster.js'
import type { CodeProfile, ReplayPolicy } from './profile.js'
import type { RandomBytes } from './random.js'
import { makeSeed, type Seed } from './seed.js'
import { makeToken, type Token } from './token.js'

/** What a new peer is made from. What is missing comes from the roster, or is made afresh. */
export interface PeerRequest extends Partial<CodeProfile> {
  readonly name: string
  readonly replay?: ReplayPolicy
  readonly note?: string
  readonly seed?: Seed
  readonly token?: Token
}

/** What making credentials depends on. */
export interface ProvisionOptions {
  /** When they are made. */
  readonly at: Date
  readonly random: RandomBytes
}

/**
 * A peer with a seed, unless the roster shares one, and a token. Adds it to nothing yet.
 *
 * @throws {TOTPError} `ERR_USAGE` for a seed of its own where the roster shares one.
 */
export function provisionPeer(roster: Roster, request: PeerRequest, options: ProvisionOptions): Peer {
  if (roster.sharedSeeds && request.seed) {
    throw new TOTPError(
      'ERR_USAGE',
      'this store has one seed for all peers, so a peer cannot bring its own; make a store without --shared-seed',
    )
  }
  const { at, random } = options
  const { algorithm, digits, period } = { ...roster.profile, ...request }
  return {
    name: request.name,
    algorithm,
    digits,
    period,
    ...(request.replay ? { replay: request.replay } : {}),
    ...(request.note ? { note: request.note } : {}),
    createdAt: at,
    seeds: roster.sharedSeeds ? [] : [seedCredential(request.seed ?? makeSeed(algorithm, random), options)],
    tokens: [tokenCredential(request.token ?? makeToken(random), options)],
  }
}

/** Gives a seed its id and its date of birth. */
export function seedCredential(seed: Seed, options: ProvisionOptions): SeedCredential {
  return { ...newCredential('s', options), seed }
}

/** Gives a token its id and its date of birth. */
export function tokenCredential(token: Token, options: ProvisionOptions): TokenCredential {
  return { ...newCredential('t', options), token }
}

/**
 * The roster with more peers in it: all of them or none.
 *
 * @throws {TOTPError} `ERR_PEER_EXISTS` for a name that is taken; `ERR_TOKEN_INVALID` for a token that another
 *   peer has already, since a token tells who calls.
 */
export function withPeers(roster: Roster, added: readonly Peer[]): Roster {
  const peers = new Map(roster.peers)
  const ownerOf = new Map<string, string>()
  for (const { name, tokens } of peers.values())
    for (const { token } of tokens) ownerOf.set(token.value, name)
  for (const peer of added) {
    if (peers.has(peer.name)) {
      throw new TOTPError(
        'ERR_PEER_EXISTS',
        `there is a peer ${quoteName(peer.name)} already; choose another name, or say --if-missing`,
      )
    }
    for (const { token } of peer.tokens) {
      if (ownerOf.has(token.value)) {
        throw new TOTPError(
          'ERR_TOKEN_INVALID',
          'another peer has this token already; each peer needs its own',
        )
      }
      ownerOf.set(token.value, peer.name)
    }
    peers.set(peer.name, peer)
  }
  return { ...roster, peers }
}

/**
 * The roster without some peers: all of them or none go.
 *
 * @throws {TOTPError} `ERR_PEER_UNKNOWN` for a name that is not there.
 */
export function withoutPeers(roster: Roster, names: readonly string[]): Roster {
  const peers = new Map(roster.peers)
  for (const name of new Set(names)) if (!peers.delete(name)) throw unknownPeer(name)
  return { ...roster, peers }
}

/** @throws {TOTPError} `ERR_PEER_UNKNOWN` when there is no such peer. */
export function peerNamed(roster: Roster, name: string): Peer {
  const peer = roster.peers.get(name)
  if (!peer) throw unknownPeer(name)
  return peer
}

function unknownPeer(name: string): TOTPError {
  const quoted = quoteName(name)
  const repeatable = isName(name) && quoted.startsWith('"')
  const remedy = `a2a-totp add-peer ${repeatable ? name : 'NAME'}`
  return new TOTPError('ERR_PEER_UNKNOWN', `no peer named ${quoted}; run \`${remedy}\` first`)
}

function newCredential(kind: 's' | 't', { at, random }: ProvisionOptions): Credential {
  return { id: `${kind}-${Buffer.from(random(5)).toString('hex')}`, createdAt: at }
}
