import { signedOf, type Peer } from '../core/roster.js'
import { chosen, type Finding } from './finding.js'
import type { RosterUnderTest } from './rotation-command.js'

const dayMs = 86_400_000
/** Long enough for a peer to have done all that it does. */
const observedDays = 30

/** Proofs that decide next to nothing: what is cut off a captured request leaves its code, which is good for any other. */
export function reuseBesideAccept({ tool }: RosterUnderTest, { name }: Peer): Finding {
  const message =
    'replay reuse beside signed accept: an attacker who captures a signed request can remove its proof, and use the code for other requests'
  const fix = (names: readonly string[]): string => `${tool} set ${chosen(names, 0, '')} --replay once`
  return {
    id: 'signed-reuse',
    severity: 'warning',
    subject: name,
    message,
    fix: fix([name]),
    joint: { noun: 'peers', message, fix },
  }
}

/** A peer that is old, and whose proofs still decide nothing. */
export function auditObserved({ roster, at, tool }: RosterUnderTest, peer: Peer): Finding[] {
  const days = Math.floor((at.getTime() - peer.createdAt.getTime()) / dayMs)
  if (signedOf(roster, peer) !== 'observe' || days < observedDays) return []
  const fix = `${tool} doctor --events FILE, with what the agent's onEvent or its gate logged: it says whether the proofs are valid`
  return [
    {
      id: 'signed-observe',
      severity: 'note',
      subject: peer.name,
      message: `it is ${days} days old and its proofs still decide nothing (signed observe)`,
      fix,
      joint: { noun: 'peers', message: 'their proofs still decide nothing (signed observe)' },
    },
  ]
}
