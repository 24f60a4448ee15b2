import { isHeaderName } from '../core/profile.js'
import {
  isLive,
  newestLive,
  policiesOf,
  seedsOf,
  signedOf,
  type Credential,
  type Peer,
  type Roster,
} from '../core/roster.js'
import { sharedSeedProblem } from '../core/shared-seed.js'
import { limitsFor, riskOf } from '../state/budgets.js'
import { chosen, type Finding } from './finding.js'
import { auditObserved, reuseBesideAccept } from './signed-audit.js'
import { isShared, rotateCommand, type RosterUnderTest } from './rotation-command.js'
import { auditHandOut } from './hand-out-audit.js'
import { auditStrength } from './strength-audit.js'

const dayMs = 86_400_000
const soonDays = 7
const oldDays = 180

/** Audits the peers and credentials of a store at an instant. */
export function auditRoster(roster: Roster, at: Date, tool = 'a2a-totp'): Finding[] {
  const tested = { roster, at, tool }
  const peers = [...roster.peers.values()]
  return [
    ...refusedHeader(tested),
    ...(roster.sharedSeeds ? [sharedSeed(roster), ...refusedSharing(roster)] : []),
    ...peers.flatMap((peer) => [
      ...auditStrength(tested, peer),
      ...auditHandOut(tested, peer),
      ...auditLives(tested, peer),
      ...auditPolicy(tested, peer),
    ]),
  ]
}

/** Version 0.1 took more fields for the code. */
function refusedHeader({ roster, tool }: RosterUnderTest): Finding[] {
  const { header } = roster.profile
  if (isHeaderName(header)) return []
  return [
    {
      id: 'header-refused',
      severity: 'serious',
      subject: roster.agent,
      message: `agents and clients refuse ${header} as the header of a code; version 0.1 took it`,
      fix: `${tool} set --header X-TOTP --yes`,
    },
  ]
}

function auditLives(tested: RosterUnderTest, peer: Peer): Finding[] {
  return (
    [
      ['seed', seedsOf(tested.roster, peer)],
      ['token', peer.tokens],
    ] as const
  ).flatMap(([kind, credentials]) => auditLife(kind, credentials, tested, peer))
}

function auditLife(
  kind: 'seed' | 'token',
  credentials: readonly Credential[],
  tested: RosterUnderTest,
  { name }: Peer,
): Finding[] {
  const { at } = tested
  const findings: Finding[] = []
  const note = ({ id, message, joint, more, fix = rotateCommand(tested, kind, more) }: LifeNote): void => {
    const general = { noun: 'peers', message: joint, fix } as const
    findings.push({ id, severity: 'warning', subject: name, message, fix: fix([name]), joint: general })
  }
  const newest = newestLive(credentials, at)
  if (!newest) {
    note({
      id: `${kind}-expired`,
      message: `all its ${kind}s have expired, so the agent refuses it`,
      joint: `all their ${kind}s have expired, so the agent refuses them`,
    })
    return findings
  }
  const { expiresAt, createdAt } = newest
  if (expiresAt && expiresAt.getTime() - at.getTime() < soonDays * dayMs) {
    note({
      // What a rotation creates would end with it.
      fix: isShared(tested.roster, kind) ? undefined : laterEnd(tested),
      id: `${kind}-expiring`,
      message: `its ${kind} expires at ${expiresAt.toISOString()}; the agent refuses it from then on`,
      joint: `their ${kind}s expire within ${soonDays} days; the agent refuses them from then on`,
    })
  }
  const ageDays = Math.floor((at.getTime() - createdAt.getTime()) / dayMs)
  if (ageDays >= oldDays) {
    note({
      id: `${kind}-old`,
      message: `its ${kind} has not been rotated for ${ageDays} days; one that leaked in that time still works`,
      joint: `their ${kind}s have not been rotated for ${oldDays} days or more; one that leaked in that time still works`,
    })
  }
  // A staged one is newer.
  if (credentials.some((one) => one !== newest && !one.staged && isLive(one, at) && !one.expiresAt)) {
    const message = `an older ${kind} has no expiry and stays valid`
    note({ id: `${kind}-overlap`, message, joint: message, more: ' --finish' })
  }
  return findings
}

interface LifeNote {
  readonly id: string
  readonly message: string
  /** For several peers. */
  readonly joint: string
  /** More options of the command that rotates. */
  readonly more?: string
  /** By default the peers are rotated. */
  readonly fix?: ((names: readonly string[]) => string) | undefined
}

const laterEnd =
  ({ tool }: RosterUnderTest) =>
  (names: readonly string[]): string =>
    `${tool} set ${chosen(names, 0, '')} --expires 90d`

function auditPolicy(tested: RosterUnderTest, peer: Peer): Finding[] {
  const { replay, signed } = policiesOf(tested.roster, peer)
  // Where each request needs a proof, a captured one is worth nothing, whatever the code.
  const reuses = replay === 'reuse' && signed !== 'require'
  return [
    ...(reuses ? [signed === 'accept' ? reuseBesideAccept(tested, peer) : replayReuse(tested, peer)] : []),
    ...auditObserved(tested, peer),
    ...guesses(tested, peer),
  ]
}

function replayReuse({ roster, tool }: RosterUnderTest, { name, period }: Peer): Finding {
  const { profile, sharedSeeds, peers } = roster
  const message = (lifeSeconds: number): string =>
    `policy reuse: an attacker who captures both headers can use them for up to ${lifeSeconds} s`
  const lifeOf = (seconds: number): number => (2 * profile.window + 1) * seconds
  // Peers without a policy of their own follow the agent's.
  const ownToo = [...peers.values()].some(({ replay }) => replay !== undefined)
  const fix = (names: readonly string[]): string => {
    if (sharedSeeds)
      return 'create a store without --shared-seed: peers with their own seeds can have policy once, where a code is good for one request'
    const who = !ownToo && names.length === peers.size && names.length > 1 ? '' : chosen(names, 0, '')
    return `${tool} set ${who} --replay once`.replace('  ', ' ')
  }
  return {
    id: 'replay-reuse',
    severity: 'note',
    subject: name,
    message: message(lifeOf(period)),
    fix: fix([name]),
    joint: {
      noun: 'peers',
      message: message(lifeOf(Math.max(...[...peers.values()].map((peer) => peer.period)))),
      fix,
    },
  }
}

function guesses(tested: RosterUnderTest, peer: Peer): Finding[] {
  const { roster, at, tool } = tested
  const live = liveSeedsOf(roster, peer, at)
  // A peer without any is refused, whatever the code; and so is a guess where each request needs a proof.
  if (live === 0 || signedOf(roster, peer) === 'require') return []
  const fixFor = (names: readonly string[]): string => {
    const several = names.filter((name) => {
      const one = roster.peers.get(name)
      return one !== undefined && liveSeedsOf(roster, one, at) > 1
    })
    if (several.length === 0)
      return "set a lower throttle.risk in the agent's scheme (a gate has the default)"
    const pending = several.some((name) => roster.peers.get(name)?.pending)
    return pending
      ? `${tool} rotate ${chosen(several, roster.peers.size, '--all')} --resume`
      : rotateCommand(tested, 'seed', ' --finish')(several)
  }
  const expected = (hits: number): string =>
    `can expect ${hits.toExponential(1)} accepted guesses a day, one in ${yearsPerHit(hits)} years`
  const sum = 'each live seed adds to it, and the old ones can be dropped once a peer has its new one'
  const assumed = `with the default risk, whatever the digits and the window${live > 1 ? `; ${sum}` : ''}`
  return [
    {
      id: 'guesses',
      severity: 'note',
      subject: peer.name,
      message: `an attacker with its token ${expected(expectedHits(roster, peer, at))}, ${assumed}`,
      fix: fixFor([peer.name]),
      joint: {
        noun: 'peers',
        message: `an attacker with the token of one ${expected(mostHits(roster, at))} at most, ${assumed}`,
        fix: fixFor,
      },
    },
  ]
}

/** Returns the expected accepted guesses a day with the default risk, which is that of each live seed. */
export function expectedHits(roster: Roster, peer: Peer, at: Date): number {
  const profile = { digits: peer.digits, window: roster.profile.window }
  return liveSeedsOf(roster, peer, at) * riskOf(limitsFor(profile), profile)
}

const mostHits = (roster: Roster, at: Date): number =>
  Math.max(
    ...[...roster.peers.values()]
      .filter((peer) => signedOf(roster, peer) !== 'require')
      .map((peer) => expectedHits(roster, peer, at)),
  )

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
