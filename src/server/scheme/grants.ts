import type { FirstFactor, TokenOwner } from './first-factor.js'
import { GrantedCaller } from './granted-caller.js'
import type { Grant, LeaseRules, Leases } from './leases.js'
import type { CallerFacts } from './outcome.js'
import type { PeerDirectory } from './peers.js'

type Owner = Extract<TokenOwner, { readonly claims: unknown }>

/** What the second factor showed. */
interface Shown extends Pick<CallerFacts, 'proof' | 'agent'> {
  readonly comparison: Pick<CallerFacts, 'seedId' | 'timeStep' | 'drift'>
}

/** The caller that a peer's token and a code of that peer let in. */
export function grantCaller(
  { peer, claims, tokenHash, expiresAt }: Owner,
  { comparison: { seedId, timeStep, drift }, proof, agent }: Shown,
  rules: LeaseRules,
  leases: Leases,
): GrantedCaller {
  // The ids of a peer's seeds are unique, and the code matched one of them.
  const used = peer.seeds.find(({ id }) => id === seedId)
  const tokenEndsAt = endOf(expiresAt)
  const grant: Grant = {
    peer: peer.name,
    tokenHash,
    tokenEndsAt,
    seed: used?.seed,
    endsAt: Math.min(tokenEndsAt, endOf(used?.expiresAt)),
    rules: rules.mark,
  }
  return new GrantedCaller({ peer: peer.name, seedId, timeStep, drift, proof, claims, agent }, grant, leases)
}

const earliest = new Date(-8.64e15)

/**
 * When what let a caller in ends under other rules, see {@link Grant.endsAt}. Credentials are compared by what they are
 * (the seed, the hash of the token, the peer that it belongs to): ids, order, policies and profiles do not matter.
 */
export function endOfGrant(
  { peer, tokenHash, tokenEndsAt, seed }: Grant,
  firstFactor: FirstFactor,
  peers: PeerDirectory,
): number {
  const seeds = peers.find(peer)?.seeds.filter((other) => other.seed.base32 === seed?.base32) ?? []
  const seedEndsAt = Math.max(-Infinity, ...seeds.map(({ expiresAt }) => endOf(expiresAt)))
  // Asked for a time before every expiry, so that an expired token is not taken for one that was withdrawn.
  const verdict = firstFactor.recall(tokenHash, earliest)
  if (!verdict) return Math.min(seedEndsAt, tokenEndsAt)
  if (verdict.refusal !== undefined || verdict.peer !== peer) return -Infinity
  return Math.min(seedEndsAt, endOf(verdict.expiresAt))
}

function endOf(expiresAt: Date | null | undefined): number {
  return expiresAt?.getTime() ?? Infinity
}
