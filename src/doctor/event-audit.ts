import { signedOf, type Peer, type Roster } from '../core/roster.js'
import { count } from '../core/text.js'
import type { EventReason, EventTally, ProofTally } from './event-tally.js'
import { chosen, type Finding } from './finding.js'

/** What is likely wrong where proofs are refused for a reason, most likely first. */
const meanings: Readonly<Record<EventReason, string>> = {
  'proof-missing': 'a client that does not sign',
  'proof-malformed': 'a client or a proxy writes the fields of the proof in another way',
  'proof-uncovered':
    'a field that the proof has to cover (content-type, a2a-version, a2a-extensions) is added or removed on the way',
  'proof-digest': 'something on the way changes the body, for example compresses or re-encodes it',
  'proof-key': "the client signs for another agent's name, or with a seed that was rotated",
  'proof-mac':
    'something on the way changes the path, the query or a field: where a proxy strips a prefix, set pathPrefix at the agent',
  'proof-stale': 'the clock of the client is wrong, or its requests wait too long on the way',
  'proof-replayed': 'the same request arrives twice: a proxy or client repeats it, or somebody captured it',
  'content-unseen':
    'a body parser reads the body before the guard can compare it (mount the guard in front of it), or a gRPC service has no guardedService: these requests would be answered 503',
}

/**
 * Finds what a log of events says about the proofs of peers, and so which policy they can have. Nothing of peers that have
 * to sign already.
 */
export function auditEvents({ peers }: EventTally, roster: Roster, tool = 'a2a-totp'): Finding[] {
  return [...roster.peers.values()].flatMap((peer) => {
    const tally = peers.get(peer.name)
    const signed = signedOf(roster, peer)
    if (!tally || signed === 'require' || signed === 'off') return []
    return [
      ...ready(tally, peer, tool),
      ...unsigned(tally, peer),
      ...wrong(tally, peer),
      ...refused(tally, peer),
    ]
  })
}

function ready(
  { valid, absent, invalid, refused: reasons, ...span }: ProofTally,
  { name }: Peer,
  tool: string,
): Finding[] {
  if (valid === 0 || absent > 0 || invalid.size > 0 || reasons.size > 0) return []
  const fix = (names: readonly string[]): string => `${tool} set ${chosen(names, 0, '')} --signed require`
  return [
    {
      id: 'signed-ready',
      severity: 'note',
      subject: name,
      message: `signed all of its ${requests(valid)}${daysOf(span)}`,
      fix: fix([name]),
      joint: { noun: 'peers', message: 'signed all of their requests', fix },
    },
  ]
}

function unsigned({ valid, absent, invalid, ...span }: ProofTally, { name }: Peer): Finding[] {
  if (absent === 0) return []
  const all = valid + absent + sumOf(invalid)
  const fix = 'let each of its clients sign (config client), and look at newer events'
  return [
    {
      id: 'signed-partly',
      severity: 'note',
      subject: name,
      message: `sent ${numberText(absent)} of its ${requests(all)} without a proof${daysOf(span)}; signed require would refuse them`,
      fix,
      joint: {
        noun: 'peers',
        message: 'sent requests without a proof, which signed require would refuse',
      },
    },
  ]
}

function wrong({ invalid, valid, absent, ...span }: ProofTally, { name }: Peer): Finding[] {
  if (invalid.size === 0) return []
  const all = valid + absent + sumOf(invalid)
  return [
    {
      id: 'signed-invalid',
      severity: 'warning',
      subject: name,
      message: `${numberText(sumOf(invalid))} of its ${requests(all)} had an invalid proof${daysOf(span)} (${listOf(invalid)}); signed accept and require would refuse them`,
      fix: meaningOf(invalid),
      joint: { noun: 'peers', message: 'sent invalid proofs, which signed accept and require would refuse' },
    },
  ]
}

function refused({ refused: reasons, ...span }: ProofTally, { name }: Peer): Finding[] {
  if (reasons.size === 0) return []
  return [
    {
      id: 'signed-refused',
      severity: 'warning',
      subject: name,
      message: `${requests(sumOf(reasons))} with its token had an invalid proof and ${sumOf(reasons) === 1 ? 'was' : 'were'} refused${daysOf(span)} (${listOf(reasons)})`,
      fix: meaningOf(reasons),
      joint: { noun: 'peers', message: 'requests with their tokens were refused for their proofs' },
    },
  ]
}

type Reasons = ReadonlyMap<EventReason, number>

/** The most frequent first. */
const sorted = (reasons: Reasons): [EventReason, number][] => [...reasons].sort(([, a], [, b]) => b - a)

const listOf = (reasons: Reasons): string =>
  sorted(reasons)
    .map(([reason, number]) => `${reason} ${numberText(number)}`)
    .join(', ')

const meaningOf = (reasons: Reasons): string =>
  sorted(reasons)
    .map(([reason]) => `${reason}: ${meanings[reason]}`)
    .join('; ')

const sumOf = (reasons: Reasons): number => [...reasons.values()].reduce((sum, number) => sum + number, 0)

/** With separators, whatever the locale. */
const numberText = (number: number): string => number.toLocaleString('en-US')

const requests = (number: number): string => count(number, 'request').replace(/^\d+/, numberText(number))

/** `, 2026-11-20 to 2026-11-29`; empty where the events do not say when. */
function daysOf({ first, last }: Pick<ProofTally, 'first' | 'last'>): string {
  if (!first || !last) return ''
  const [from, to] = [first, last].map((at) => at.toISOString().slice(0, 10))
  return from === to ? ` on ${from}` : ` from ${from} to ${to}`
}
