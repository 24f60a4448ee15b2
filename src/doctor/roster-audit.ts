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
import { sharedSeedProblem } from '../core/shared-seed.js'
import { limitsFor, riskOf } from '../state/budgets.js'
import type { Finding } from './finding.js'
import { isPublished } from './published-seeds.js'

const dayMs = 86_400_000
const soonDays = 7
const oldDays = 180

/** Audits the peers and credentials of a store at an instant. */
export function auditRoster(roster: Roster, at: Date): Finding[] {
  const peers = [...roster.peers.values()]
  return [
    ...(roster.sharedSeeds ? [sharedSeed(roster), ...refusedSharing(roster)] : []),
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
  const replays = replayOf(roster, peer) === 'once' ? [] : [replayReuse(roster, peer)]
  return [...replays, ...guesses(roster, peer, at)]
}

function replayReuse({ profile, sharedSeeds }: Roster, { name, period }: Peer): Finding {
  const lifeSeconds = (2 * profile.window + 1) * period
  return {
    id: 'replay-reuse',
    severity: 'note',
    subject: name,
    message: `policy reuse: an attacker who captures both headers can use them for up to ${lifeSeconds} s`,
    fix: sharedSeeds
      ? 'create a store without --shared-seed: peers with their own seeds can have policy once, where a code is good for one request'
      : `policy once, where a code is good for one request: a2a-totp remove-peer ${name}, then a2a-totp add-peer ${name} --replay once, and hand out its new configuration`,
  }
}

function guesses(roster: Roster, peer: Peer, at: Date): Finding[] {
  const live = liveSeedsOf(roster, peer, at)
  // A peer without any is refused, whatever the code.
  if (live === 0) return []
  const hits = expectedHits(roster, peer, at)
  const choice = roster.sharedSeeds ? '--all' : peer.name
  return [
    {
      id: 'guesses',
      severity: 'note',
      subject: peer.name,
      message: `an attacker with its token can expect ${hits.toExponential(1)} accepted guesses a day, one in ${yearsPerHit(hits)} years, with the default risk`,
      fix:
        live > 1
          ? `each live seed adds to it: a2a-totp rotate ${choice} --seed --finish, once the peer has its new one`
          : "throttle.risk of the agent's scheme sets it; digits and window change only how many guesses that allows",
    },
  ]
}

/** Returns the expected accepted guesses a day with the default risk, which is that of each live seed. */
export function expectedHits(roster: Roster, peer: Peer, at: Date): number {
  const profile = { digits: peer.digits, window: roster.profile.window }
  return liveSeedsOf(roster, peer, at) * riskOf(limitsFor(profile), profile)
}

function liveSeedsOf(roster: Roster, peer: Peer, at: Date): number {
  return seedsOf(roster, peer).filter((seed) => isLive(seed, at)).length
}

function yearsPerHit(hitsADay: number): number {
  return Math.floor(1 / hitsADay / 365.25)
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

function refusedSharing(roster: Roster): Finding[] {
  const problem = sharedSeedProblem(roster)
  if (!problem) return []
  const { kind, message, fix } = problem
  const finding = { severity: 'serious', subject: roster.agent, message, fix } as const
  return kind === 'once'
    ? [{ id: 'shared-seed-once', ...finding }]
    : [{ id: 'shared-seed-profile', ...finding }]
}
