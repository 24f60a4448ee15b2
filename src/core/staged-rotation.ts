import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import { peerNamed, type ProvisionOptions } from './provision.js'
import {
  isLive,
  newestLive,
  rotationSteps,
  type Credential,
  type Peer,
  type PendingRotation,
  type Roster,
  type RotationStep,
} from './roster.js'
import { rotate, unstaged, type PeerChoice, type Rotation } from './rotation.js'

/** What a staged rotation changes, and its name. */
export interface Staging extends Rotation {
  /** The same for all peers of one run. */
  readonly id: string
}

/**
 * Returns the roster with new credentials that nobody uses yet, beside the old ones, which keep their lives until
 * {@link withOldEnding}. With an overlap of 0 the old ones end in this change.
 *
 * @returns the same object when `madeBefore` leaves nothing to renew
 * @throws {TOTPError} what {@link rotate} throws; `ERR_USAGE` for a canary, and for a seed that all peers share
 */
export function stageRotation(
  roster: Roster,
  choice: PeerChoice,
  staging: Staging,
  making: ProvisionOptions,
): Roster {
  refuseUnstageable(roster, choice, staging)
  const after = rotate(roster, choice, staging, making)
  if (after === roster) return roster
  const peers = new Map(after.peers)
  for (const [name, peer] of after.peers) {
    const before = roster.peers.get(name)
    if (before && before !== peer) peers.set(name, staged(before, peer, staging, making.at))
  }
  return { ...after, peers }
}

function refuseUnstageable(roster: Roster, choice: PeerChoice, { seed }: Staging): void {
  if (choice !== 'all') {
    const canary = choice.find((name) => roster.canaries?.has(name))
    if (canary !== undefined) {
      throw new TOTPError(
        'ERR_USAGE',
        `${quoteName(canary)} is a canary, which nobody uses; rotate it without a delivery, and plant its new fragment by hand`,
      )
    }
  }
  if (!roster.sharedSeeds || !seed) return
  throw new TOTPError(
    'ERR_USAGE',
    'this store has one seed for all peers, so it cannot be handed out peer by peer; pass --token, or run ' +
      '`a2a-totp rotate --all --seed` and hand the new seed to all peers within the overlap',
  )
}

/** The old credentials as they were, unless they end now, and the new ones staged. */
function staged(before: Peer, after: Peer, { id, overlapMs }: Staging, at: Date): Peer {
  const ids = new Set([...before.seeds, ...before.tokens].map((one) => one.id))
  const put = <C extends Credential>(old: readonly C[], now: readonly C[]): readonly C[] =>
    now.map((one) =>
      ids.has(one.id) ? (old.find((other) => other.id === one.id) ?? one) : { ...one, staged: true as const },
    )
  return {
    ...after,
    seeds: put(before.seeds, after.seeds),
    tokens: put(before.tokens, after.tokens),
    pending: {
      id,
      since: at,
      step: 'staged',
      seed: after.seeds !== before.seeds,
      token: after.tokens !== before.tokens,
      overlapMs,
    },
  }
}

/**
 * Returns the roster with a step recorded; the same object if the rotation was that far already. From `delivered` on the
 * new credentials are those in use.
 *
 * @throws {TOTPError} `ERR_NOTHING_PENDING` when this rotation of the peer is over, because another command ended it
 */
export function withStep(roster: Roster, name: string, id: string, step: RotationStep): Roster {
  const { peer, pending } = pendingNamed(roster, name, id)
  if (isAtLeast(pending, step)) return roster
  const next: Peer = { ...peer, pending: { ...pending, step } }
  return withPeer(roster, step === 'delivered' || step === 'proved' ? inUse(next) : next)
}

/** Returns whether a rotation has come as far as a step. */
export function isAtLeast({ step }: Pick<PendingRotation, 'step'>, least: RotationStep): boolean {
  return rotationSteps.indexOf(step) >= rotationSteps.indexOf(least)
}

/**
 * Returns the roster in which the superseded credentials of some peers end with the overlap, counted from `at`. None
 * lives longer than before. The rotation stays pending until the agent knows it.
 *
 * @throws {TOTPError} `ERR_NOTHING_PENDING` as {@link withStep}
 */
export function withOldEnding(roster: Roster, names: readonly string[], id: string, at: Date): Roster {
  return names.reduce((before, name) => {
    const { peer, pending } = pendingNamed(before, name, id)
    const end = new Date(at.getTime() + pending.overlapMs)
    const ending = <C extends Credential>(credentials: readonly C[]): readonly C[] => {
      const last = credentials.at(-1)
      const next = credentials.map((one) =>
        one !== last && isLive(one, end) ? { ...one, expiresAt: end } : one,
      )
      return next.every((one, index) => one === credentials[index]) ? credentials : next
    }
    const seeds = pending.seed ? ending(peer.seeds) : peer.seeds
    const tokens = pending.token ? ending(peer.tokens) : peer.tokens
    const same = seeds === peer.seeds && tokens === peer.tokens
    return same ? before : withPeer(before, { ...peer, seeds, tokens })
  }, roster)
}

/** Returns the roster in which the rotations of some peers are over. One that is over already stays so. */
export function withoutPending(roster: Roster, names: readonly string[], id: string): Roster {
  return names.reduce((before, name) => {
    const peer = before.peers.get(name)
    return peer?.pending?.id === id ? withPeer(before, ended(peer)) : before
  }, roster)
}

/**
 * Returns the roster without credentials that were staged and not delivered: the old ones stay as they are.
 *
 * @throws {TOTPError} `ERR_PEER_UNKNOWN`; `ERR_NOTHING_PENDING`; `ERR_ROTATION_PENDING` when the new ones were delivered, or
 *   when no old one is live
 */
export function abandonRotation(roster: Roster, names: readonly string[], at: Date): Roster {
  return names.reduce((before, name) => {
    const peer = peerNamed(before, name)
    const { pending } = peer
    if (!pending) throw nothingPending(`no rotation of ${quoteName(name)} is pending`)
    const remedy = `run \`a2a-totp rotate ${name} --resume\``
    if (isAtLeast(pending, 'delivered')) {
      throw new TOTPError(
        'ERR_ROTATION_PENDING',
        `the new credentials of ${name} are delivered and in use, so they cannot be abandoned; ${remedy}, or rotate again after it`,
      )
    }
    const old = withoutStaged(peer)
    const usable = (credentials: readonly Credential[]): boolean => newestLive(credentials, at) !== undefined
    if ((pending.seed && !usable(old.seeds)) || (pending.token && !usable(old.tokens))) {
      throw new TOTPError(
        'ERR_ROTATION_PENDING',
        `the old credentials of ${name} have ended, so only the new ones are left; ${remedy}`,
      )
    }
    return withPeer(before, ended(old))
  }, roster)
}

/**
 * Returns a peer with its new credentials alone, as they are handed out and proved. For what was not renewed, those in use.
 */
export function withNewAlone(peer: Peer): Peer {
  const { pending } = peer
  if (!pending) return peer
  const only = <C extends Credential>(credentials: readonly C[], renewed: boolean): readonly C[] =>
    renewed ? credentials.slice(-1).map(unstaged) : credentials
  return { ...peer, seeds: only(peer.seeds, pending.seed), tokens: only(peer.tokens, pending.token) }
}

/** Returns the peers with a rotation that is not finished. */
export function pendingPeers({ peers }: Roster): Peer[] {
  return [...peers.values()].filter(({ pending }) => pending !== undefined)
}

function pendingNamed(
  roster: Roster,
  name: string,
  id: string,
): { readonly peer: Peer; readonly pending: PendingRotation } {
  const peer = roster.peers.get(name)
  if (peer?.pending?.id === id) return { peer, pending: peer.pending }
  throw nothingPending(`another command ended this rotation of ${quoteName(name)}`)
}

const nothingPending = (why: string): TOTPError =>
  new TOTPError('ERR_NOTHING_PENDING', `${why}; \`a2a-totp list\` shows what is`)

const withPeer = (roster: Roster, peer: Peer): Roster => ({
  ...roster,
  peers: new Map(roster.peers).set(peer.name, peer),
})

const inUse = (peer: Peer): Peer => ({
  ...peer,
  seeds: peer.seeds.map(unstaged),
  tokens: peer.tokens.map(unstaged),
})

function withoutStaged(peer: Peer): Peer {
  return {
    ...peer,
    seeds: peer.seeds.filter(({ staged }) => !staged),
    tokens: peer.tokens.filter(({ staged }) => !staged),
  }
}

function ended(peer: Peer): Peer {
  const rest: { -readonly [K in keyof Peer]: Peer[K] } = { ...peer }
  delete rest.pending
  return rest
}
