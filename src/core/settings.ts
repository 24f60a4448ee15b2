import { withReplaced } from './canary.js'
import { changesBetween } from './changes.js'
import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import { signedBrought } from './policies.js'
import type { ReplayPolicy, TOTPProfile } from './profile.js'
import type { SignedPolicy } from './proof/profile.js'
import { peerNamed } from './provision.js'
import {
  isLive,
  newestLive,
  policiesOf,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
  type TokenCredential,
} from './roster.js'
import { makeSameCodes, mayShareSeed, notSharable } from './shared-seed.js'
import { unknownPeers } from './unknown-peers.js'

/** What may be changed of an agent. What is undefined stays as it is. */
export interface AgentSettings extends Partial<TOTPProfile> {
  /** Null removes it. Algorithm, digits and period are those of peers to come. */
  readonly url?: string | null
  readonly replay?: ReplayPolicy
  /** By default `once` brings `accept` where there is none. */
  readonly signed?: SignedPolicy
}

/** What may be changed of a peer. What is undefined stays as it is. */
export interface PeerSettings {
  /** `inherit` removes the peer's own policy, so that the agent's applies. */
  readonly replay?: ReplayPolicy | 'inherit'
  /** Likewise. By default `once` brings `accept` where there is none and what is inherited is `off` or `observe`. */
  readonly signed?: SignedPolicy | 'inherit'
  /** Empty removes it. */
  readonly note?: string
  /** When the live seeds and tokens end. */
  readonly expires?: Date | 'never'
}

/**
 * Returns the roster with other settings of the agent.
 *
 * @returns the same object when it has them already
 * @throws {TOTPError} `ERR_USAGE` when peers that share a seed would not go together with them
 */
export function withAgentSettings(roster: Roster, settings: AgentSettings): Roster {
  const { url = roster.url, replay = roster.replay, signed: given, ...rest } = settings
  const signed = given ?? signedBrought(settings, roster.signed) ?? roster.signed
  const fields = Object.fromEntries(Object.entries<unknown>(rest).filter(([, value]) => value !== undefined))
  const profile: TOTPProfile = { ...roster.profile, ...fields }
  const after = { ...roster, url: url ?? undefined, replay, ...(signed && { signed }), profile }
  if (changesBetween(roster, after).length === 0) return roster
  refuseToShare(roster, after)
  const [peer] = roster.peers.values()
  if (
    roster.sharedSeeds &&
    peer &&
    !makeSameCodes(profile, roster.profile) &&
    !makeSameCodes(profile, peer)
  ) {
    throw new TOTPError(
      'ERR_USAGE',
      `this store has one seed for all peers, so they have one profile: that of ${quoteName(peer.name)} is ` +
        `${peer.algorithm}, ${peer.digits} digits, ${peer.period} s`,
    )
  }
  return after
}

/**
 * Returns the roster with other settings of some peers or canaries: all of them or none. A new end applies to live
 * credentials; those that a rotation superseded end no later than they do already.
 *
 * @returns the same object when they have them already
 * @throws {TOTPError} `ERR_PEER_UNKNOWN`; `ERR_USAGE` for the policy of a canary, or policies under which they cannot
 *   share a seed; `ERR_CREDENTIAL_EXPIRED` for a new end where nothing is live
 */
export function withPeerSettings(
  roster: Roster,
  names: readonly string[],
  settings: PeerSettings,
  at: Date,
): Roster {
  const unknown = names.filter((name) => !roster.peers.has(name) && !roster.canaries?.has(name))
  if (unknown.length > 0) throw unknownPeers(roster, unknown)
  const peers = new Map(roster.peers)
  const canaries: Canary[] = []
  for (const name of new Set(names)) {
    const canary = roster.canaries?.get(name)
    if (canary) canaries.push(canaryWith(canary, settings, at))
    else peers.set(name, peerWith(roster, peerNamed(roster, name), settings, at))
  }
  const after = { ...(canaries.length > 0 ? withReplaced(roster, canaries) : roster), peers }
  if (changesBetween(roster, after).length === 0) return roster
  refuseToShare(roster, after)
  return after
}

function peerWith(roster: Roster, peer: Peer, settings: PeerSettings, at: Date): Peer {
  const { replay: ownReplay, signed: ownSigned, note, ...rest } = peer
  const replay = settings.replay === 'inherit' ? undefined : (settings.replay ?? ownReplay)
  const brought = signedBrought(settings, ownSigned, roster.signed)
  const signed = settings.signed === 'inherit' ? undefined : (settings.signed ?? brought ?? ownSigned)
  const remark = settings.note ?? note
  const { expires } = settings
  const seeds = expires ? ending(peer.name, 'seed', peer.seeds, expires, at) : peer.seeds
  const tokens = expires ? ending(peer.name, 'token', peer.tokens, expires, at) : peer.tokens
  const policies = { ...(replay && { replay }), ...(signed && { signed }) }
  return { ...rest, ...policies, ...(remark && { note: remark }), seeds, tokens }
}

function canaryWith(canary: Canary, settings: PeerSettings, at: Date): Canary {
  const { note, ...rest } = canary
  if (settings.replay ?? settings.signed) {
    throw new TOTPError(
      'ERR_USAGE',
      `${quoteName(canary.name)} is a canary, which has no codes and no policy; --note and --expires apply to it`,
    )
  }
  const remark = settings.note ?? note
  const { expires } = settings
  const tokens: readonly TokenCredential[] = expires
    ? ending(canary.name, 'token', canary.tokens, expires, at)
    : canary.tokens
  return { ...rest, ...(remark && { note: remark }), tokens }
}

/** Credentials with another end. Empty for peers whose seed is shared: it is not theirs to end. */
function ending<C extends Credential>(
  name: string,
  kind: string,
  credentials: readonly C[],
  end: Date | 'never',
  at: Date,
): readonly C[] {
  const newest = newestLive(credentials, at)
  if (!newest) {
    if (credentials.length === 0) return credentials
    throw new TOTPError(
      'ERR_CREDENTIAL_EXPIRED',
      `every ${kind} of ${quoteName(name)} has expired, and cannot be revived; run \`a2a-totp rotate ${name}\` for a new one`,
    )
  }
  const position = credentials.indexOf(newest)
  return credentials.map((one, index) => {
    if (!isLive(one, at)) return one
    const superseded = index < position
    if (end === 'never') return superseded ? one : withoutEnd(one)
    return superseded && one.expiresAt && one.expiresAt <= end ? one : { ...one, expiresAt: end }
  })
}

function withoutEnd<C extends Credential>(credential: C): C {
  const { expiresAt, ...rest } = credential
  return expiresAt ? (rest as C) : credential
}

/**
 * Refuses policies under which peers cannot share their seed, where they are new: a store of before may have them, and can
 * be put right one peer after the other.
 */
function refuseToShare(before: Roster, after: Roster): void {
  if (!after.sharedSeeds) return
  const pairs = [
    [before, after] as const,
    ...Array.from(after.peers.values(), (peer) => {
      const old = before.peers.get(peer.name)
      return [old && policiesOf(before, old), policiesOf(after, peer)] as const
    }),
  ]
  for (const [old, now] of pairs)
    if (!mayShareSeed(now) && (!old || mayShareSeed(old)))
      throw new TOTPError('ERR_USAGE', notSharable(now.replay))
}
