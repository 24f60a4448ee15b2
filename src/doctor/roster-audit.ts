import {
  isLive,
  newestLive,
  replayOf,
  seedsOf,
  type Credential,
  type Peer,
  type Roster,
} from '../core/roster.js'
import { minimumSeedBits, type Seed } from '../core/seed.js'
import { budgetsFor, defaultBudgets } from '../state/budgets.js'
import type { Finding } from './finding.js'
import { isPublished } from './published-seeds.js'

const dayMs = 86_400_000
const soonDays = 7
const oldDays = 180

/** Audits the peers and credentials of a store at an instant. */
export function auditRoster(roster: Roster, at: Date): Finding[] {
  const peers = [...roster.peers.values()]
  return [
    ...(roster.sharedSeeds ? [sharedSeed(roster)] : []),
    ...peers.flatMap((peer) => [
      ...auditSeeds(roster, peer, at),
      ...auditLives(roster, peer, at),
      ...auditPolicy(roster, peer, at),
    ]),
  ]
}

function auditSeeds(roster: Roster, { name, seeds }: Peer, at: Date): Finding[] {
  const shared = roster.sharedSeeds !== undefined
  const live = (roster.sharedSeeds ?? seeds).filter((one) => isLive(one, at)).map(({ seed }) => seed)
  const fix = `a2a-totp rotate ${shared ? '--all' : name} --seed --now`
  return live.flatMap((seed): Finding[] => [...weak(seed, name, fix), ...published(seed, name, fix)])
}

function weak(seed: Seed, subject: string, fix: string): Finding[] {
  if (seed.strong) return []
  const message = `its seed has ${seed.bits} bits; RFC 4226 requires at least ${minimumSeedBits}, since a shorter seed can be found by trying them all against a few codes`
  return [{ id: 'seed-weak', severity: 'serious', subject, message, fix }]
}

function published(seed: Seed, subject: string, fix: string): Finding[] {
  if (!isPublished(seed)) return []
  const message = 'its seed is published in documentation or examples, or has a simple pattern'
  return [{ id: 'seed-published', severity: 'serious', subject, message, fix }]
}

function auditLives(roster: Roster, peer: Peer, at: Date): Finding[] {
  return (
    [
      ['seed', seedsOf(roster, peer)],
      ['token', peer.tokens],
    ] as const
  ).flatMap(([kind, credentials]) => auditLife(kind, credentials, roster, peer, at))
}

function auditLife(
  kind: 'seed' | 'token',
  credentials: readonly Credential[],
  roster: Roster,
  { name }: Peer,
  at: Date,
): Finding[] {
  const fix = `a2a-totp rotate ${kind === 'seed' && roster.sharedSeeds ? '--all' : name} --${kind}`
  const newest = newestLive(credentials, at)
  if (!newest) {
    const message = `all its ${kind}s have expired, so the agent refuses it`
    return [{ id: `${kind}-expired`, severity: 'warning', subject: name, message, fix }]
  }
  const findings: Finding[] = []
  const { expiresAt, createdAt } = newest
  if (expiresAt && expiresAt.getTime() - at.getTime() < soonDays * dayMs) {
    const message = `its ${kind} expires at ${expiresAt.toISOString()}; the agent refuses it from then on`
    findings.push({ id: `${kind}-expiring`, severity: 'warning', subject: name, message, fix })
  }
  const ageDays = Math.floor((at.getTime() - createdAt.getTime()) / dayMs)
  if (ageDays >= oldDays) {
    const message = `its ${kind} has not been rotated for ${ageDays} days; one that leaked in that time still works`
    findings.push({ id: `${kind}-old`, severity: 'warning', subject: name, message, fix })
  }
  if (credentials.some((one) => one !== newest && isLive(one, at) && !one.expiresAt)) {
    const message = `an older ${kind} has no expiry and stays valid`
    const end = `${fix} --finish`
    findings.push({ id: `${kind}-overlap`, severity: 'warning', subject: name, message, fix: end })
  }
  return findings
}

function auditPolicy(roster: Roster, peer: Peer, at: Date): Finding[] {
  const { name } = peer
  const hits = expectedHits(roster, peer, at)
  const guesses: Finding = {
    id: 'guesses',
    severity: 'note',
    subject: name,
    message: `an attacker with its token can expect ${hits.toExponential(1)} accepted guesses a day, with the default budgets and window ${roster.profile.window}`,
    fix: 'a smaller window, more digits, or finishing a rotation lowers the number',
  }
  if (replayOf(roster, peer) === 'once') return [guesses]
  const lifeSeconds = (2 * roster.profile.window + 1) * peer.period
  const message = `policy reuse: an attacker who captures both headers can use them for up to ${lifeSeconds} s`
  const fix = 'use policy once, where a code is good for one request: add-peer --replay once'
  return [{ id: 'replay-reuse', severity: 'note', subject: name, message, fix }, guesses]
}

/** Returns guesses a day × chance of each. Each live seed and each step of the window adds one code that is right. */
export function expectedHits(roster: Roster, peer: Peer, at: Date): number {
  const live = (credentials: readonly Credential[]): number =>
    credentials.filter((one) => isLive(one, at)).length
  const rightCodes = live(seedsOf(roster, peer)) * (2 * roster.profile.window + 1)
  const perDay = budgetsFor(peer.digits, defaultBudgets).find(({ seconds }) => seconds === dayMs / 1000)
  return ((perDay?.limit ?? 0) * rightCodes) / 10 ** peer.digits
}

function sharedSeed({ agent }: Roster): Finding {
  return {
    id: 'shared-seed',
    severity: 'warning',
    subject: agent,
    message: 'all peers share one seed: any peer that steals a token can impersonate its owner',
    fix: 'create a store without --shared-seed, so that each peer has its own seed',
  }
}
